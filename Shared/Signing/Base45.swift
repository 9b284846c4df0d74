// Base45 (RFC 9285): bytes as the characters a QR code stores most tightly.

package enum Base45 {
    private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:".utf8)

    private static let values: [UInt16] = {
        var values = [UInt16](repeating: 0xffff, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt16(value) }
        return values
    }()

    package static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 3 / 2 + 1)
        for start in stride(from: 0, to: bytes.count, by: 2) {
            if start + 1 < bytes.count {
                let value = Int(bytes[start]) << 8 | Int(bytes[start + 1])
                text.append(alphabet[value % 45])
                text.append(alphabet[value / 45 % 45])
                text.append(alphabet[value / 2025])
            } else {
                text.append(alphabet[Int(bytes[start]) % 45])
                text.append(alphabet[Int(bytes[start]) / 45])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil for a foreign character, a length no value has, or a group above its range.
    package static func decode(_ text: String) -> [UInt8]? {
        let text = Array(text.utf8)
        guard text.count % 3 != 1 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count * 2 / 3)
        for start in stride(from: 0, to: text.count, by: 3) {
            let group = text[start..<min(start + 3, text.count)].map { Int(values[Int($0)]) }
            guard group.allSatisfy({ $0 < 45 }) else { return nil }
            if group.count == 3 {
                let value = group[0] + group[1] * 45 + group[2] * 2025
                guard value <= 0xffff else { return nil }
                bytes.append(UInt8(value >> 8))
                bytes.append(UInt8(value & 0xff))
            } else {
                let value = group[0] + group[1] * 45
                guard value <= 0xff else { return nil }
                bytes.append(UInt8(value))
            }
        }
        return bytes
    }
}
