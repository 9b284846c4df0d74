/// Small changes to a message, the same ones for the same numbers.
package enum Mutation {
    /// Bytes that matter to a parser, more often than others.
    private static let spice: [UInt8] =
        Array("\r\n\t :;,/?#%_-.0123456789abcdefABCDEFchunked\0\u{7F}".utf8) + [0x80, 0xFF, 0x0B, 0x0C]

    /// `bytes` is not empty, and is not afterwards unless one byte was all of it.
    package static func apply(to bytes: inout [UInt8], _ random: inout SplitMix) {
        let index = Int(random.next() % UInt64(bytes.count))
        let byte = spice[Int(random.next() % UInt64(spice.count))]
        switch random.next() % 4 {
        case 0: bytes[index] = byte
        case 1: bytes.insert(byte, at: index)
        case 2: bytes.remove(at: index)
        default:
            let end = min(bytes.count, index + Int(random.next() % 12))
            bytes.insert(contentsOf: bytes[index..<end], at: index)
        }
    }
}
