// BLAKE2b (RFC 7693) with a key: a fast seal between parties that share the key.
import CSodium

package struct KeyedBLAKE2b: Sendable {
    package static let keyLengths = 16...64
    package static let tagLengths = 16...64

    private let key: SecretBytes

    /// From 16 to 64 secret bytes.
    package init(key: [UInt8]) throws(SigningFailure) {
        guard Self.keyLengths.contains(key.count) else { throw .wrongLength(was: key.count, wanted: Self.keyLengths) }
        self.key = try SecretBytes(key)
    }

    /// The key's bytes, for keeping.
    package var keyBytes: [UInt8] { key.bytes }

    /// BLAKE2b with an output of `length` bytes (16 to 64). A longer output cut short is another value than a shorter one.
    package func tag(of message: [UInt8], length: Int = 32) -> [UInt8] {
        message.withUnsafeBytes { tag(of: $0, length: length) }
    }

    package func tag(of message: UnsafeRawBufferPointer, length: Int = 32) -> [UInt8] {
        precondition(Self.tagLengths.contains(length), "a BLAKE2b tag has 16 to 64 bytes")
        return [UInt8](unsafeUninitializedCapacity: length) { tag, count in
            write(to: tag.baseAddress, length: length, message: message)
            count = length
        }
    }

    /// Compares `tag` with the first bytes of the 32-byte output, in constant time and without an allocation.
    /// A tag that has not 16 to 32 bytes is false.
    package func startsTag(of message: UnsafeRawBufferPointer, with tag: UnsafeRawBufferPointer) -> Bool {
        guard (16...32).contains(tag.count) else { return false }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { full in
            guard let fullStart = full.baseAddress, let tagStart = tag.baseAddress else { return false }
            write(to: fullStart, length: 32, message: message)
            return sodium_memcmp(fullStart, tagStart, tag.count) == 0
        }
    }

    private func write(to output: UnsafeMutablePointer<UInt8>?, length: Int, message: UnsafeRawBufferPointer) {
        guard let output else { return }
        let start = message.bindMemory(to: UInt8.self).baseAddress
        crypto_generichash(output, length, start, UInt64(message.count), key.address, key.count)
    }
}
