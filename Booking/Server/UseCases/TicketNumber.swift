import Signing

/// Eight letters and digits a person can read out: no 0, 1, i, l, o or u.
enum TicketNumber {
    private static let alphabet = Array("23456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
    private static let length = 8

    static func random() -> String {
        var letters: [UInt8] = []
        while letters.count < length {
            // Bytes past the last whole round of the alphabet are thrown away, so that each letter is as likely.
            for byte in SecureRandom.bytes(length) where byte < UInt8(256 / alphabet.count * alphabet.count) {
                letters.append(alphabet[Int(byte) % alphabet.count])
            }
        }
        return String(decoding: letters.prefix(length), as: UTF8.self)
    }
}
