package import EdgeHTTP
import NIOCore
import NIOEmbedded

/// What the codec of the edge made of a connection's bytes: every request is answered with 200 once it is complete, so
/// that the next one is read.
package struct EdgeReading {
    package private(set) var heads: [EdgeRequestHead] = []
    package private(set) var messages: [ReadMessage] = []
    package private(set) var refusal: EdgeRefusal?
    /// Something came after a refusal: a breach of the codec's first promise.
    package private(set) var wentOnAfterRefusal = false
    /// The connection was open and more was to come, but the codec did not ask for it.
    package private(set) var isDeaf = false

    /// Each piece is one read from the socket.
    package init(_ pieces: [ArraySlice<UInt8>], limits: EdgeLimits = EdgeLimits()) throws {
        let collector = Collector()
        let channel = EmbeddedChannel()
        let edge = EdgeLoop(loop: channel.embeddedEventLoop, seed: 1)
        let codec = EdgeCodec(limits: SharedLimits(limits), edge: edge, receiver: collector)
        let demand = ReadDemand()
        try channel.pipeline.syncOperations.addHandlers([demand, codec])
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 8080), promise: nil)
        for piece in pieces {
            let isAsked = demand.take()
            if !isAsked, channel.isActive, collector.reading.refusal == nil { collector.reading.isDeaf = true }
            try channel.writeInbound(ByteBuffer(bytes: piece))
        }
        if collector.reading.refusal != nil {
            try channel.writeInbound(ByteBuffer(string: "GET /later HTTP/1.1\r\nHost: a\r\n\r\n"))
        }
        self = collector.reading
        _ = try? channel.finish(acceptAlreadyClosed: true)
    }

    private init() {}

    private final class Collector: EdgeReceiver {
        var reading = EdgeReading()

        func received(_ part: EdgeRequestPart, on codec: EdgeCodec) {
            reading.wentOnAfterRefusal = reading.wentOnAfterRefusal || reading.refusal != nil
            let last = reading.messages.count - 1
            switch part {
            case .head(let head):
                reading.heads.append(head)
                reading.messages.append(ReadMessage(head))
                codec.read()
            case .body(let bytes):
                reading.messages[last].body.append(contentsOf: bytes.readableBytesView)
                codec.read()
            case .end:
                reading.messages[last].isComplete = true
                codec.give(.whole(EdgeReply(status: 200)))
            case .refused(let refusal):
                reading.refusal = refusal
                codec.give(.whole(EdgeReply(status: refusal.status)))
            }
        }

        func outputIsWritable(on codec: EdgeCodec) {}
        func ended(on codec: EdgeCodec) {}
    }
}

extension ReadMessage {
    fileprivate init(_ head: EdgeRequestHead) {
        var fields: [Field] = []
        head.forEachField { name, value in
            fields.append(
                Field(name: String(decoding: name, as: UTF8.self), value: String(decoding: value, as: UTF8.self))
            )
        }
        self.init(
            method: head.method.name,
            target: head.target,
            hosts: [head.host],
            fields: fields,
            framing: Framing(head.framing),
            keepsAlive: head.keepsAlive
        )
    }
}

extension ReadMessage.Framing {
    fileprivate init(_ framing: EdgeRequestHead.Framing) {
        switch framing {
        case .none: self = .none
        case .length(let count): self = .length(count)
        case .chunked: self = .chunked
        }
    }
}
