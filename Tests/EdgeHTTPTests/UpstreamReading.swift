import EdgeHTTP
import NIOCore

/// What a parser made of the bytes of one reply, or why it did not.
struct ReplyReading: Equatable {
    var status = 0
    /// `name:value`, without those of the connection and the framing.
    var fields: [String] = []
    var body: [UInt8] = []
    var isComplete = false
    var closes = false
    var framing: EdgeReplyHead.Framing?
    var flaw: UpstreamFlaw?
    /// Bytes behind the end of the reply.
    var restCount = 0

    /// `size` says how many bytes come at a time.
    static func read(
        _ bytes: [UInt8],
        to method: EdgeMethod = .get,
        size: Int = .max,
        thenCloses: Bool = false,
        limits: UpstreamLimits = UpstreamLimits()
    ) -> ReplyReading {
        var parser = UpstreamReplyParser(limits: limits)
        parser.expectReply(to: method)
        var reading = ReplyReading()
        var buffer = ByteBuffer()
        var rest = bytes[...]
        do throws(UpstreamFlaw) {
            while !rest.isEmpty {
                buffer.writeBytes(rest.prefix(size))
                rest = rest.dropFirst(size)
                while let piece = try parser.next(from: &buffer) { reading.take(piece) }
            }
            if thenCloses, let piece = try parser.ended() { reading.take(piece) }
        } catch {
            reading.flaw = error
        }
        reading.restCount = buffer.readableBytes
        return reading
    }

    static func read(_ text: String, to method: EdgeMethod = .get, thenCloses: Bool = false) -> ReplyReading {
        read(Array(text.utf8), to: method, thenCloses: thenCloses)
    }

    private mutating func take(_ piece: UpstreamReplyParser.Piece) {
        switch piece {
        case .head(let head):
            status = head.status
            fields = head.fields.texts.map { "\($0.name):\($0.value)" }
            framing = head.framing
            closes = head.closes
        case .body(let bytes): body += bytes.readableBytesView
        case .end: isComplete = true
        }
    }
}
