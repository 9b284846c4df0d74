// libsodium's one-time set-up, and the failures this module can report.
import CSodium

/// Why a key, a seed or a password was not taken.
package enum SigningFailure: Error, Equatable {
    /// The bytes given are `was` long; `wanted` says what is right.
    case wrongLength(was: Int, wanted: ClosedRange<Int>)
    /// The library could not get the memory it asked for.
    case outOfMemory
}

enum Sodium {
    /// Picks the fastest code for this processor and opens the random source. Touched by every initialiser of a key,
    /// so that calls with a key need not ask again.
    static let isReady: Bool = {
        let outcome = sodium_init()
        precondition(outcome >= 0, "libsodium could not be set up")
        return true
    }()
}
