// Key material in memory of its own: guarded pages, wiped when the last owner lets go.
import CSodium

/// Safe because the bytes are written once, before the initialiser returns, and only read afterwards.
final class SecretBytes: @unchecked Sendable {
    private let start: UnsafeMutableRawPointer
    let count: Int

    init(_ bytes: [UInt8]) throws(SigningFailure) {
        _ = Sodium.isReady
        guard let start = sodium_malloc(max(bytes.count, 1)) else { throw .outOfMemory }
        self.start = start
        count = bytes.count
        bytes.withUnsafeBytes { start.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(start), byteCount: $0.count) }
    }

    deinit { sodium_free(start) }

    /// The address is good for as long as this object is kept.
    var address: UnsafePointer<UInt8> { UnsafePointer(start.assumingMemoryBound(to: UInt8.self)) }

    var bytes: [UInt8] { Array(UnsafeRawBufferPointer(start: start, count: count)) }
}
