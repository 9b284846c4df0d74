// SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104) by OpenSSL, which uses the processor's own instructions.
import COpenSSL

package enum SHA256 {
    package static let length = 32

    /// Fetched once: fetching by name at each call would cost more than hashing a short message.
    /// Safe because OpenSSL's method objects never change and are never freed here.
    private nonisolated(unsafe) static let method = EVP_MD_fetch(nil, "SHA256", nil)

    package static func digest(_ message: [UInt8]) -> [UInt8] {
        message.withUnsafeBytes { digest($0) }
    }

    package static func digest(_ message: UnsafeRawBufferPointer) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: length) { output, count in
            let outcome = EVP_Digest(message.baseAddress, message.count, output.baseAddress, nil, method, nil)
            precondition(outcome == 1, "OpenSSL could not compute SHA-256")
            count = length
        }
    }

    /// Writes the 32 bytes into `output`, without an allocation of its own.
    package static func digest(_ message: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) {
        precondition(output.count >= length, "a SHA-256 digest takes 32 bytes")
        let start = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        let outcome = EVP_Digest(message.baseAddress, message.count, start, nil, method, nil)
        precondition(outcome == 1, "OpenSSL could not compute SHA-256")
    }
}

package enum HMACSHA256 {
    package static func code(for message: [UInt8], key: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: SHA256.length) { output, count in
            // A key pointer of nil would mean "the key of the call before".
            let start = key.isEmpty ? [0] : key
            let outcome = HMAC(
                EVP_sha256(),
                start,
                Int32(key.count),
                message,
                message.count,
                output.baseAddress,
                nil
            )
            precondition(outcome != nil, "OpenSSL could not compute HMAC-SHA-256")
            count = SHA256.length
        }
    }

    /// Constant-time check of a code somebody else sent.
    package static func isValid(_ code: [UInt8], for message: [UInt8], key: [UInt8]) -> Bool {
        ConstantTime.areEqual(code, Self.code(for: message, key: key))
    }
}
