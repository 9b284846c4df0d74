/// The name of a waiting room, `[a-z0-9-]{1,40}`: safe in a path, a cookie name and a key.
package struct RoomName: Sendable, Hashable, CustomStringConvertible {
    package static let lengthMax = 40

    package let text: String

    package init?(_ text: some StringProtocol) {
        let bytes = text.utf8
        guard (1...Self.lengthMax).contains(bytes.count) else { return nil }
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): break
            default: return nil
            }
        }
        self.text = String(text)
    }

    package var description: String { text }
}
