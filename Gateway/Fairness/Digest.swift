// A SHA-256 value held in place: a tree of a million entries keeps no array per hash.
import Signing

package struct Digest: Sendable, Hashable {
    package static let length = SHA256.length

    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    private init() {}

    /// Nil unless there are 32 bytes.
    package init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Self.length else { return nil }
        withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
    }

    package static func of(_ message: UnsafeRawBufferPointer) -> Digest {
        var digest = Digest()
        withUnsafeMutableBytes(of: &digest.words) { SHA256.digest(message, into: $0) }
        return digest
    }

    package static func of(_ message: [UInt8]) -> Digest {
        message.withUnsafeBytes { of($0) }
    }

    package var bytes: [UInt8] { withUnsafeBytes(of: words) { Array($0) } }

    package func copy(to output: UnsafeMutableRawBufferPointer) {
        withUnsafeBytes(of: words) { output.copyMemory(from: $0) }
    }

    package var hex: String { Hex.encode(bytes) }

    package static func == (one: Digest, other: Digest) -> Bool {
        one.words == other.words
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
    }
}
