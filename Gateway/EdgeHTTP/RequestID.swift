// Request ids: a random start of the loop, then a count. Unique, cheap, and they say nothing.

/// `req_`, eleven characters of the loop, `_`, and a count in base 32.
package struct RequestID: Sendable, Hashable, CustomStringConvertible {
    static let textCountMax = 16 + 13
    private static let digits: StaticString = "0123456789abcdefghjkmnpqrstvwxyz"

    /// The first sixteen characters, as they lie in memory.
    private let start: (UInt64, UInt64)
    private let count: UInt64

    init(loop: UInt64, count: UInt64) {
        var text: (UInt64, UInt64) = (0, 0)
        withUnsafeMutableBytes(of: &text) { text in
            for (index, byte) in "req_".utf8.enumerated() { text[index] = byte }
            for index in 0..<11 { text[4 + index] = Self.digits.utf8Start[Int(loop >> UInt64(index * 5) & 31)] }
            text[15] = UInt8(ascii: "_")
        }
        start = text
        self.count = count
    }

    /// For requests that came by no connection.
    package static let none = RequestID(loop: 0, count: 0)

    package static func == (left: Self, right: Self) -> Bool {
        left.start == right.start && left.count == right.count
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(start.0)
        hasher.combine(start.1)
        hasher.combine(count)
    }

    package var description: String {
        String(unsafeUninitializedCapacity: Self.textCountMax) { text in
            var writer = ByteWriter(UnsafeMutableRawBufferPointer(text))
            write(to: &writer)
            return writer.count
        }
    }

    func next() -> RequestID { RequestID(start: start, count: count &+ 1) }

    private init(start: (UInt64, UInt64), count: UInt64) {
        self.start = start
        self.count = count
    }

    package func write(to writer: inout ByteWriter) {
        withUnsafeBytes(of: start) { writer.put($0) }
        let digitCount = max(1, (64 - count.leadingZeroBitCount + 4) / 5)
        for index in (0..<digitCount).reversed() {
            writer.put(byte: Self.digits.utf8Start[Int(count >> UInt64(index * 5) & 31)])
        }
    }
}
