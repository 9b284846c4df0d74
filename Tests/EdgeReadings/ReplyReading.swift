package import EdgeHTTP
import NIOCore
import NIOEmbedded
import NIOHTTP1

/// One reply of a service as some parser read it.
package struct ReplyReading: Equatable, Sendable {
    package var status: Int?
    package var fields: [ReadMessage.Field] = []
    package var body: [UInt8] = []
    package var isComplete = false
    /// Whether the parser found fault with it.
    package var isRefused = false

    /// Fields that the parser takes out of a head, because it answers for them itself.
    private static let ownFields: Set<String> = ["connection", "content-length", "transfer-encoding"]

    /// As the proxy reads it, each piece a read from the socket, until the service closes the connection.
    package init(edge pieces: [ArraySlice<UInt8>], method: EdgeMethod) {
        var parser = UpstreamReplyParser()
        parser.expectReply(to: method)
        var pending = ByteBuffer()
        do throws(UpstreamFlaw) {
            for piece in pieces {
                pending.writeBytes(piece)
                while let part = try parser.next(from: &pending) { take(part) }
            }
            if let part = try parser.ended() { take(part) }
        } catch {
            // What is cut short is no fault of its bytes.
            isRefused = error != .cutShort
        }
    }

    private mutating func take(_ piece: UpstreamReplyParser.Piece) {
        switch piece {
        case .head(let head):
            status = head.status
            fields = head.fields.texts.map { ReadMessage.Field(name: $0.name, value: $0.value) }
        case .body(let bytes): body.append(contentsOf: bytes.readableBytesView)
        case .end: isComplete = true
        }
    }

    /// As llhttp reads it through NIOHTTP1's decoder: the first reply that is no interim one.
    package init(llhttp bytes: [UInt8], method: EdgeMethod) throws {
        let channel = EmbeddedChannel()
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(HTTPRequestEncoder())
        try pipeline.addHandler(ByteToMessageHandler(HTTPResponseDecoder()))
        let head = HTTPRequestHead(version: .http1_1, method: HTTPMethod(rawValue: method.name), uri: "/")
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
        _ = try? channel.writeInbound(ByteBuffer(bytes: bytes))
        channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        _ = try? channel.finish(acceptAlreadyClosed: true)
        while !isComplete, let part = try channel.readInbound(as: HTTPClientResponsePart.self) {
            switch part {
            case .head(let head):
                status = Int(head.status.code)
                fields = head.headers.map { ReadMessage.Field(name: $0.name, value: ReadMessage.trimmed($0.value)) }
                    .filter { !Self.ownFields.contains($0.name.lowercased()) }
            case .body(let bytes): body.append(contentsOf: bytes.readableBytesView)
            case .end: isComplete = true
            }
        }
    }
}
