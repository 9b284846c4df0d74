import EdgeHTTP
import NIOCore
import NIOEmbedded

/// A codec on an embedded channel: bytes in as text, parts and bytes out as text.
struct EdgeChannel {
    let channel = EmbeddedChannel()

    init(limits: EdgeLimits = EdgeLimits()) throws {
        try channel.pipeline.syncOperations.addHandler(EdgeCodec(limits: limits, date: EdgeDate()))
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 8080)).wait()
    }

    func send(_ text: String) throws {
        try channel.writeInbound(ByteBuffer(string: text))
    }

    /// Sends byte by byte: a parser must not care where reads end.
    func trickle(_ text: String) throws {
        for byte in text.utf8 { try channel.writeInbound(ByteBuffer(bytes: [byte])) }
    }

    func parts() throws -> [EdgeRequestPart] {
        var parts: [EdgeRequestPart] = []
        while let part = try channel.readInbound(as: EdgeRequestPart.self) { parts.append(part) }
        return parts
    }

    func reply(_ reply: EdgeReply) {
        channel.writeAndFlush(EdgeReplyPart.whole(reply), promise: nil)
        channel.embeddedEventLoop.run()
    }

    func reply(_ part: EdgeReplyPart) {
        channel.writeAndFlush(part, promise: nil)
        channel.embeddedEventLoop.run()
    }

    func written() throws -> String {
        var text = ""
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: bytes) }
        return text
    }

    func pass(_ time: TimeAmount) {
        channel.embeddedEventLoop.advanceTime(by: time)
    }
}

extension [EdgeRequestPart] {
    var heads: [EdgeRequestHead] {
        compactMap { if case .head(let head) = $0 { head } else { nil } }
    }

    var body: String {
        map { if case .body(let bytes) = $0 { String(buffer: bytes) } else { "" } }.joined()
    }

    var refusal: EdgeRefusal? {
        if case .refused(let refusal) = last { refusal } else { nil }
    }

    var isComplete: Bool {
        if case .end = last { true } else { false }
    }
}
