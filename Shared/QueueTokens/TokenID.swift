// Ids of tokens (`jti`): by chance, so that no two processes need to agree.
import Signing
import Synchronization

package enum TokenID {
    private static let length = 11
    /// Ids are told to whoever holds the token, so chance for many is asked of the system at once and kept.
    private static let idsAtOnce = 93

    private static let kept = Mutex<[UInt8]>([])

    /// 88 random bits in 15 characters, the longest text Swift keeps without an allocation.
    package static func random() -> String {
        kept.withLock { bytes in
            if bytes.count < length { bytes = SecureRandom.bytes(length * idsAtOnce) }
            defer { bytes.removeLast(length) }
            return bytes.withUnsafeBytes { bytes in
                let id = UnsafeRawBufferPointer(rebasing: bytes[(bytes.count - length)...])
                return String(unsafeUninitializedCapacity: Base64URL.encodedLength(of: length)) {
                    Base64URL.encode(id, into: $0)
                }
            }
        }
    }
}
