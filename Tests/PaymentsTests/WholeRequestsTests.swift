import NIOCore
import NIOEmbedded
import NIOHTTP1
import Serving
import Testing

@Suite struct WholeRequestsTests {
    private static let head = HTTPRequestHead(version: .http1_1, method: .POST, uri: "/v1/payment_intents")

    private static func write(_ parts: [HTTPClientRequestPart], to channel: EmbeddedChannel) {
        for part in parts { channel.writeAndFlush(part, promise: nil) }
    }

    private static func sent(_ channel: EmbeddedChannel) throws -> Int {
        var count = 0
        while try channel.readOutbound(as: HTTPClientRequestPart.self) != nil { count += 1 }
        return count
    }

    @Test func `a request leaves when it is whole`() throws {
        let channel = EmbeddedChannel(handler: WholeRequests())
        Self.write([.head(Self.head), .body(.byteBuffer(ByteBuffer(string: "amount=5000")))], to: channel)
        #expect(try Self.sent(channel) == 0)
        Self.write([.end(nil)], to: channel)
        #expect(try Self.sent(channel) == 3)
        Self.write([.head(Self.head)], to: channel)
        #expect(try Self.sent(channel) == 0)
        Self.write([.end(nil)], to: channel)
        #expect(try Self.sent(channel) == 2)
    }

    @Test func `more than the channel may keep leaves at once`() throws {
        let channel = EmbeddedChannel(handler: WholeRequests())
        Self.write([.head(Self.head), .body(.byteBuffer(ByteBuffer(string: "a")))], to: channel)
        channel.isWritable = false
        channel.pipeline.fireChannelWritabilityChanged()
        #expect(try Self.sent(channel) == 2)
        Self.write([.body(.byteBuffer(ByteBuffer(string: "b")))], to: channel)
        #expect(try Self.sent(channel) == 1)
        channel.isWritable = true
        channel.pipeline.fireChannelWritabilityChanged()
        Self.write([.body(.byteBuffer(ByteBuffer(string: "c")))], to: channel)
        #expect(try Self.sent(channel) == 0)
        Self.write([.end(nil)], to: channel)
        #expect(try Self.sent(channel) == 2)
    }

    @Test func `a client's connection gets it in front of its encoder`() throws {
        let channel = EmbeddedChannel()
        let refused = WholeRequests.add(to: channel)
        channel.embeddedEventLoop.run()
        #expect(throws: (any Error).self) { try refused.wait() }
        try channel.pipeline.syncOperations.addHTTPClientHandlers()
        let added = WholeRequests.add(to: channel)
        channel.embeddedEventLoop.run()
        try added.wait()
        Self.write([.head(Self.head)], to: channel)
        #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
        Self.write([.end(nil)], to: channel)
        let bytes = try channel.readOutbound(as: ByteBuffer.self)
        #expect(bytes.map { String(buffer: $0).hasPrefix("POST /v1/payment_intents HTTP/1.1\r\n") } == true)
    }
}
