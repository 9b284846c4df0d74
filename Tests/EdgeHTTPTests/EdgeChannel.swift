import EdgeHTTP
import EdgeReadings
import NIOCore
import NIOEmbedded

/// A codec on an embedded channel: bytes in as text, parts and bytes out as text.
struct EdgeChannel {
    let channel = EmbeddedChannel()
    let codec: EdgeCodec
    private let receiver = PartRecorder()
    private let demand = ReadDemand()

    init(limits: EdgeLimits = EdgeLimits(), answering: ((EdgeRequestPart, EdgeCodec) -> Void)? = nil) throws {
        let edge = EdgeLoop(loop: channel.embeddedEventLoop, seed: 1)
        edge.begin()
        receiver.answer = answering
        codec = EdgeCodec(limits: SharedLimits(limits), edge: edge, receiver: receiver)
        try channel.pipeline.syncOperations.addHandlers([demand, codec])
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 8080)).wait()
    }

    func send(_ text: String) throws {
        try channel.writeInbound(ByteBuffer(string: text))
    }

    /// Sends byte by byte: a parser must not care where reads end.
    func trickle(_ text: String) throws {
        for byte in text.utf8 {
            // As a receiver does that wants the body. What is not asked for stays in the socket.
            codec.read()
            guard demand.take() else { return }
            try channel.writeInbound(ByteBuffer(bytes: [byte]))
        }
    }

    /// What the codec has handed up since the last call.
    func parts() -> [EdgeRequestPart] {
        defer { receiver.parts = [] }
        return receiver.parts
    }

    func reply(_ reply: EdgeReply) {
        self.reply(.whole(reply))
    }

    func reply(_ part: EdgeReplyPart) {
        codec.give(part)
        codec.flush()
        channel.embeddedEventLoop.run()
    }

    func written() throws -> String {
        try writes().joined()
    }

    /// What went out, write by write.
    func writes() throws -> [String] {
        var texts: [String] = []
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) { texts.append(String(buffer: bytes)) }
        return texts
    }

    /// Whether the visitor takes bytes.
    func setWritable(_ isWritable: Bool) {
        channel.isWritable = isWritable
        channel.pipeline.fireChannelWritabilityChanged()
    }

    func pass(_ time: TimeAmount) {
        channel.embeddedEventLoop.advanceTime(by: time)
    }
}

final class PartRecorder: EdgeReceiver {
    var parts: [EdgeRequestPart] = []
    var answer: ((EdgeRequestPart, EdgeCodec) -> Void)?

    func received(_ part: EdgeRequestPart, on codec: EdgeCodec) {
        parts.append(part)
        answer?(part, codec)
    }

    func outputIsWritable(on codec: EdgeCodec) {}
    func ended(on codec: EdgeCodec) {}
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
