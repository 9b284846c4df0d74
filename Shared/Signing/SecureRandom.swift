// Unpredictable bytes, and comparisons that take the same time whatever they compare.
import CSodium

package enum SecureRandom {
    package static func bytes(_ count: Int) -> [UInt8] {
        _ = Sodium.isReady
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            if let start = buffer.baseAddress, count > 0 { randombytes_buf(start, count) }
            initialized = count
        }
    }
}

package enum ConstantTime {
    /// False at once when the lengths differ: a length is no secret here.
    package static func areEqual(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        guard one.count == other.count else { return false }
        guard !one.isEmpty else { return true }
        return sodium_memcmp(one, other, one.count) == 0
    }
}
