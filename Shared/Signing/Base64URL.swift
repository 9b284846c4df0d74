// Base64url without padding (RFC 4648 §5), decoded strictly: one text for one value, so a text cannot be changed
// without changing what it says.

package enum Base64URL {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// Six-bit value of each character, 0xff for characters outside the alphabet.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xff, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }()

    package static func encodedLength(of count: Int) -> Int { (count * 4 + 2) / 3 }

    /// Nil when no value has a text of this length.
    package static func decodedLength(of count: Int) -> Int? { count % 4 == 1 ? nil : count * 3 / 4 }

    package static func encode(_ bytes: [UInt8]) -> String {
        String(unsafeUninitializedCapacity: encodedLength(of: bytes.count)) { output in
            bytes.withUnsafeBytes { encode($0, into: output) }
        }
    }

    /// Writes into `output`, at least `encodedLength(of: bytes.count)` long; tells how many characters that was.
    @discardableResult
    package static func encode(_ bytes: UnsafeRawBufferPointer, into output: UnsafeMutableBufferPointer<UInt8>) -> Int {
        precondition(output.count >= encodedLength(of: bytes.count), "no room for the encoded text")
        return alphabet.withUnsafeBufferPointer { alphabet in
            var read = 0
            var written = 0
            while read + 3 <= bytes.count {
                let (a, b, c) = (bytes[read], bytes[read + 1], bytes[read + 2])
                output[written] = alphabet[Int(a >> 2)]
                output[written + 1] = alphabet[Int((a & 3) << 4 | b >> 4)]
                output[written + 2] = alphabet[Int((b & 15) << 2 | c >> 6)]
                output[written + 3] = alphabet[Int(c & 63)]
                read += 3
                written += 4
            }
            guard read < bytes.count else { return written }
            let (a, b) = (bytes[read], read + 1 < bytes.count ? bytes[read + 1] : 0)
            output[written] = alphabet[Int(a >> 2)]
            output[written + 1] = alphabet[Int((a & 3) << 4 | b >> 4)]
            guard read + 1 < bytes.count else { return written + 2 }
            output[written + 2] = alphabet[Int((b & 15) << 2)]
            return written + 3
        }
    }

    /// Nil for padding, white space, a foreign character, an impossible length or left-over bits that are not zero.
    package static func decode(_ text: String) -> [UInt8]? {
        var text = text
        return text.withUTF8 { text in
            guard let count = decodedLength(of: text.count) else { return nil }
            var isRight = false
            let bytes = [UInt8](unsafeUninitializedCapacity: count) { output, initialized in
                isRight = decode(UnsafeRawBufferPointer(text), into: UnsafeMutableRawBufferPointer(output)) != nil
                initialized = isRight ? count : 0
            }
            return isRight ? bytes : nil
        }
    }

    /// Writes into `output`, at least `decodedLength(of: text.count)` long; tells how many bytes that was, nil as for
    /// `decode(_:)`.
    package static func decode(_ text: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int? {
        guard let count = decodedLength(of: text.count), output.count >= count else { return nil }
        return values.withUnsafeBufferPointer { values in
            var seen: UInt8 = 0
            var read = 0
            var written = 0
            while read + 4 <= text.count {
                let (a, b) = (values[Int(text[read])], values[Int(text[read + 1])])
                let (c, d) = (values[Int(text[read + 2])], values[Int(text[read + 3])])
                seen |= a | b | c | d
                output[written] = a << 2 | b >> 4
                output[written + 1] = b << 4 | c >> 2
                output[written + 2] = c << 6 | d
                read += 4
                written += 3
            }
            var leftOver: UInt8 = 0
            if read < text.count {
                let a = values[Int(text[read])]
                let b = values[Int(text[read + 1])]
                seen |= a | b
                output[written] = a << 2 | b >> 4
                leftOver = b << 4
                if read + 2 < text.count {
                    let c = values[Int(text[read + 2])]
                    seen |= c
                    output[written + 1] = b << 4 | c >> 2
                    leftOver = c << 6
                }
            }
            // Values stay below 64; only a foreign character has the high bits.
            return seen < 64 && leftOver == 0 ? count : nil
        }
    }
}
