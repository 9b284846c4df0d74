import EdgeHTTP
import NIOCore
import NIOEmbedded
import Testing

struct ConnectionTests {
    private static let get = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"

    @Test func `pipelined requests come one at a time, in order`() throws {
        let edge = try EdgeChannel()
        try edge.send((1...3).map { "GET /\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
        for number in 1...3 {
            #expect(try edge.parts().heads.map(\.target) == ["/\(number)"])
            edge.reply(EdgeReply(status: 200, body: ByteBuffer(string: "reply \(number)")))
            #expect(try edge.written().hasSuffix("reply \(number)"))
        }
        #expect(edge.channel.isActive)
    }

    @Test func `a reply has one length, a date, and no field that the codec owns`() throws {
        let edge = try EdgeChannel()
        try edge.send(Self.get)
        edge.reply(
            EdgeReply(
                status: 200,
                headers: [
                    "X-A": "b", "Content-Length": "9", "Transfer-Encoding": "x", "Connection": "y",
                    "X-B": "a\r\nSet-Cookie: x",
                ],
                body: ByteBuffer(string: "hello")
            )
        )
        let lines = try edge.written().components("\r\n")
        #expect(lines.first == "HTTP/1.1 200 OK")
        #expect(lines.filter { $0.hasPrefix("Content-Length") } == ["Content-Length: 5"])
        #expect(!lines.contains { $0.hasPrefix("Transfer") || $0.hasPrefix("Connection") || $0.contains("Set-Cookie") })
        #expect(lines.contains("X-A: b"))
        #expect(lines.contains { $0.hasPrefix("Date: ") && $0.hasSuffix(" GMT") })
        #expect(lines.last == "hello")
    }

    @Test func `HEAD gets the length and no body, 204 neither`() throws {
        let edge = try EdgeChannel()
        try edge.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + Self.get)
        edge.reply(EdgeReply(status: 200, body: ByteBuffer(string: "hello")))
        let head = try edge.written()
        #expect(head.contains("Content-Length: 5\r\n"))
        #expect(head.hasSuffix("\r\n\r\n"))
        edge.reply(EdgeReply(status: 204))
        #expect(try !edge.written().contains("Content-Length"))
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", true),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n", true),
        ("GET / HTTP/1.0\r\nHost: a\r\n\r\n", true),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", false),
    ])
    func `a connection ends when the visitor asks`(_ bytes: String, _ closes: Bool) throws {
        let edge = try EdgeChannel()
        try edge.send(bytes)
        edge.reply(EdgeReply(status: 200))
        #expect(try edge.written().contains("Connection: close") == closes)
        #expect(edge.channel.isActive == !closes)
    }

    @Test func `a streamed reply is chunked, and its end lets the next request in`() throws {
        let edge = try EdgeChannel()
        try edge.send(Self.get + "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try edge.parts().heads.count == 1)
        edge.reply(.head(EdgeReplyHead(status: 200, framing: .chunked)))
        edge.reply(.body(ByteBuffer(string: "abc")))
        #expect(try edge.parts().isEmpty)
        edge.reply(.end)
        #expect(try edge.written().hasSuffix("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"))
        #expect(try edge.parts().heads.map(\.target) == ["/2"])
    }

    @Test func `HTTP 1.0 gets a streamed body that ends with the connection`() throws {
        let edge = try EdgeChannel()
        try edge.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n")
        edge.reply(.head(EdgeReplyHead(status: 200, framing: .chunked)))
        edge.reply(.body(ByteBuffer(string: "abc")))
        edge.reply(.end)
        #expect(try edge.written().hasSuffix("Connection: close\r\n\r\nabc"))
        #expect(!edge.channel.isActive)
    }

    @Test func `100 Continue is sent once, when the body is asked for`() throws {
        let edge = try EdgeChannel()
        try edge.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        #expect(try edge.written() == "")
        edge.channel.read()
        edge.channel.read()
        #expect(try edge.written() == "HTTP/1.1 100 Continue\r\n\r\n")
        try edge.send("abc")
        #expect(try edge.parts().body == "abc")
    }

    @Test func `an early reply to an unread body ends the connection`() throws {
        let edge = try EdgeChannel()
        try edge.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\nabc")
        edge.reply(EdgeReply(status: 403))
        #expect(try edge.written().contains("Connection: close"))
        try edge.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try edge.parts().heads.count == 1)
        edge.pass(.seconds(2))
        #expect(!edge.channel.isActive)
    }

    @Test func `an early reply to a body that is already here keeps the connection`() throws {
        let edge = try EdgeChannel()
        let answering = EarlyAnswer()
        try edge.channel.pipeline.syncOperations.addHandler(answering)
        try edge.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(answering.targets == ["/", "/2"])
        #expect(try !edge.written().contains("Connection: close"))
        #expect(edge.channel.isActive)
    }

    @Test func `a head that takes more than five seconds is 408, however it trickles`() throws {
        let edge = try EdgeChannel()
        for byte in ["G", "E", "T", " ", "/"] {
            edge.pass(.milliseconds(1100))
            try edge.send(byte)
        }
        #expect(try edge.parts().refusal == nil)
        edge.pass(.seconds(1))
        #expect(try edge.parts().refusal == .timedOut)
    }

    @Test func `an idle connection ends after fifteen seconds without a word`() throws {
        let edge = try EdgeChannel()
        try edge.send(Self.get)
        edge.pass(.seconds(60))
        #expect(edge.channel.isActive)
        edge.reply(EdgeReply(status: 200))
        _ = try edge.written()
        edge.pass(.seconds(14))
        #expect(edge.channel.isActive)
        edge.pass(.seconds(2))
        #expect(!edge.channel.isActive)
        #expect(try edge.written() == "")
    }

    @Test func `a body that does not come is 408`() throws {
        let edge = try EdgeChannel()
        try edge.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na")
        edge.pass(.seconds(31))
        #expect(try edge.parts().refusal == .timedOut)
    }

    @Test func `a visitor who takes nothing is dropped after ten seconds`() throws {
        let edge = try EdgeChannel()
        try edge.send(Self.get)
        edge.channel.isWritable = false
        edge.channel.pipeline.fireChannelWritabilityChanged()
        edge.pass(.seconds(9))
        #expect(edge.channel.isActive)
        edge.pass(.seconds(2))
        #expect(!edge.channel.isActive)
    }

    @Test func `draining closes an idle connection at once and a busy one after its reply`() throws {
        let idle = try EdgeChannel()
        idle.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        #expect(!idle.channel.isActive)
        let busy = try EdgeChannel()
        try busy.send(Self.get)
        busy.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        #expect(busy.channel.isActive)
        busy.reply(EdgeReply(status: 200))
        #expect(try busy.written().contains("Connection: close"))
        #expect(!busy.channel.isActive)
    }

    @Test func `a connection serves so many requests and no more`() throws {
        var limits = EdgeLimits()
        limits.requestsPerConnectionMax = 2
        let edge = try EdgeChannel(limits: limits)
        try edge.send(Self.get + Self.get + Self.get)
        edge.reply(EdgeReply(status: 200))
        #expect(try !edge.written().contains("Connection: close"))
        edge.reply(EdgeReply(status: 200))
        #expect(try edge.written().contains("Connection: close"))
        #expect(try edge.parts().heads.count == 2)
    }
}

/// Answers 403 at the head, as a refusing handler does.
private final class EarlyAnswer: ChannelInboundHandler {
    typealias InboundIn = EdgeRequestPart
    typealias OutboundOut = EdgeReplyPart
    var targets: [String] = []

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(let head) = unwrapInboundIn(data) else { return }
        targets.append(head.target)
        context.writeAndFlush(wrapOutboundOut(.whole(EdgeReply(status: 403))), promise: nil)
    }
}

extension String {
    func components(_ separator: String) -> [String] {
        split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
}
