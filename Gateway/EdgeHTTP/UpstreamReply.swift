// What a service answered, kept as the bytes it sent: its fields are copied to the visitor, not made into texts.
import NIOCore

/// The head of a service's reply. It exists only after every line of it has been checked.
package struct UpstreamReplyHead: Sendable {
    package let status: Int
    /// How the visitor gets the body: `length` where the service said one, `chunked` where it did not.
    package let framing: EdgeReplyHead.Framing
    /// The connection ends with this reply.
    package let closes: Bool
    /// `Connection` names fields that are of this connection only.
    package let namesFields: Bool
    package var fields: UpstreamFields

    /// Whether the body is a stream of events, which has no end of its own.
    package var isEventStream: Bool {
        guard status == 200, framing == .chunked, let type = fields.all("content-type").first else { return false }
        return EdgeHeaders.areEqual(String(type.prefix { $0 != ";" && $0 != " " }), "text/event-stream")
    }
}

/// The fields of a reply in the order they came, without those that speak of the framing. Values may hold bytes from
/// 0x80 on, as they came; no control bytes but tabs.
package struct UpstreamFields: Sendable {
    /// One line: where its name starts, its value, and the next line, counted from the start of the head.
    struct Line: Sendable {
        var start: UInt32
        var nameEnd: UInt32
        var valueStart: UInt32
        var valueEnd: UInt32
        var end: UInt32
        var isDropped = false

        var name: Range<Int> { Int(start)..<Int(nameEnd) }
        var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }
        var whole: Range<Int> { Int(start)..<Int(end) }
    }

    private let bytes: ByteBuffer
    private var lines: [Line]

    init(bytes: ByteBuffer, lines: [Line]) {
        self.bytes = bytes
        self.lines = lines
    }

    /// Leaves out the fields whose name the caller does not want to go on.
    package mutating func drop(where isUnwanted: (UnsafeRawBufferPointer) -> Bool) {
        bytes.withUnsafeReadableBytes { bytes in
            for index in lines.indices where !lines[index].isDropped {
                lines[index].isDropped = isUnwanted(UnsafeRawBufferPointer(rebasing: bytes[lines[index].name]))
            }
        }
    }

    /// The values of that name, dropped or not; the name in lower case.
    package func all(_ name: StaticString) -> [String] {
        bytes.withUnsafeReadableBytes { bytes in
            var values: [String] = []
            for line in lines where ByteRules.isSame(UnsafeRawBufferPointer(rebasing: bytes[line.name]), name) {
                values.append(String(decoding: bytes[line.value], as: UTF8.self))
            }
            return values
        }
    }

    /// Every field that is left, as texts.
    package var texts: [(name: String, value: String)] {
        bytes.withUnsafeReadableBytes { bytes in
            lines.filter { !$0.isDropped }.map { line in
                (String(decoding: bytes[line.name], as: UTF8.self), String(decoding: bytes[line.value], as: UTF8.self))
            }
        }
    }

    var count: Int { bytes.readableBytes }

    /// Whether the service said when it answered; its word holds then (RFC 9110 §6.6.1).
    var hasDate: Bool {
        bytes.withUnsafeReadableBytes { bytes in
            lines.contains {
                !$0.isDropped && ByteRules.isSame(UnsafeRawBufferPointer(rebasing: bytes[$0.name]), "date")
            }
        }
    }

    /// The lines that are left, as they came, runs of them at once.
    func write(to writer: inout ByteWriter) {
        bytes.withUnsafeReadableBytes { bytes in
            var start = 0
            var end = 0
            for line in lines where !line.isDropped {
                if line.whole.lowerBound != end {
                    writer.put(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
                    start = line.whole.lowerBound
                }
                end = line.whole.upperBound
            }
            writer.put(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
        }
    }
}

/// Bounds of a service's reply head.
package struct UpstreamLimits: Sendable {
    package var headBytesMax = 64 * 1024
    package var fieldCountMax = 128
    /// Replies of status 1xx before the one that counts.
    package var interimRepliesMax = 8

    package init() {}
}

/// The rule of HTTP that a service's reply broke. The connection is closed after any of them.
package enum UpstreamFlaw: String, Error, Sendable, Equatable, CaseIterable {
    case statusLine = "the status line is not: version, space, three digits, space, reason"
    case bareLineFeed = "a line does not end in CR LF"
    case folded = "a field line is folded"
    case fieldName = "a field name is not a token"
    case fieldValue = "a field value has a control byte"
    case headTooLarge = "the head is too large or has too many fields"
    case contentLength = "Content-Length is not one plain number"
    case framingTwice = "Content-Length and Transfer-Encoding came together"
    case coding = "the transfer coding is not chunked alone, or came with HTTP/1.0"
    case chunk = "the chunked body is malformed"
    case switching = "the service switched protocols unasked"
    case interim = "too many interim replies, or one that ends the connection"
    case cutShort = "the connection ended before the reply did"
}
