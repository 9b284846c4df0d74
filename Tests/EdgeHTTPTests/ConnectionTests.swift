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
            #expect(edge.parts().heads.map(\.target) == ["/\(number)"])
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
        #expect(edge.parts().heads.count == 1)
        edge.reply(.head(EdgeReplyHead(status: 200, framing: .chunked)))
        edge.reply(.body(ByteBuffer(string: "abc")))
        #expect(edge.parts().isEmpty)
        edge.reply(.end)
        #expect(try edge.written().hasSuffix("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"))
        #expect(edge.parts().heads.map(\.target) == ["/2"])
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
        edge.codec.read()
        edge.codec.read()
        #expect(try edge.written() == "HTTP/1.1 100 Continue\r\n\r\n")
        try edge.send("abc")
        #expect(edge.parts().body == "abc")
    }

    @Test func `an early reply to an unread body ends the connection`() throws {
        let edge = try EdgeChannel()
        try edge.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\nabc")
        edge.reply(EdgeReply(status: 403))
        #expect(try edge.written().contains("Connection: close"))
        try edge.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(edge.parts().heads.count == 1)
        edge.pass(.seconds(2))
        #expect(!edge.channel.isActive)
    }

    @Test func `an early reply to a body that is already here keeps the connection`() throws {
        let edge = try EdgeChannel { part, codec in
            if case .head = part { codec.give(.whole(EdgeReply(status: 403))) }
        }
        try edge.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(edge.parts().heads.map(\.target) == ["/", "/2"])
        #expect(try !edge.written().contains("Connection: close"))
        #expect(edge.channel.isActive)
    }

    @Test func `a head that takes more than five seconds is 408, however it trickles`() throws {
        let edge = try EdgeChannel()
        for byte in ["G", "E", "T", " ", "/"] {
            edge.pass(.milliseconds(1100))
            try edge.send(byte)
        }
        #expect(edge.parts().refusal == nil)
        edge.pass(.seconds(1))
        #expect(edge.parts().refusal == .timedOut)
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
        edge.codec.read()
        edge.pass(.seconds(31))
        #expect(edge.parts().refusal == .timedOut)
    }

    @Test func `a visitor who takes nothing is dropped after eight seconds`() throws {
        let edge = try EdgeChannel()
        try edge.send(Self.get)
        edge.setWritable(false)
        edge.pass(.seconds(7))
        #expect(edge.channel.isActive)
        edge.pass(.seconds(2))
        #expect(!edge.channel.isActive)
    }

    struct Sips: Sendable {
        let seconds: Int64
        let bytes: UInt64
        let droppedBefore: Int64?
    }

    /// 8 KiB a second are asked for.
    @Test(arguments: [
        Sips(seconds: 1, bytes: 0, droppedBefore: 10),
        Sips(seconds: 1, bytes: 512, droppedBefore: 11),
        Sips(seconds: 4, bytes: 16_384, droppedBefore: 17),
        Sips(seconds: 1, bytes: 8_192, droppedBefore: nil),
        Sips(seconds: 6, bytes: 1 << 20, droppedBefore: nil),
        Sips(seconds: 7, bytes: .max / 2, droppedBefore: nil),
    ])
    func `a visitor who sips is dropped, one who drinks is not`(_ sips: Sips) throws {
        var taken: UInt64 = 0
        let edge = try EdgeChannel()
        edge.codec.edge.takenBytes = { _ in taken }
        try edge.send(Self.get)
        var passed: Int64 = 0
        while edge.channel.isActive, passed < 600 {
            edge.setWritable(false)
            edge.pass(.seconds(sips.seconds))
            passed += sips.seconds
            taken &+= sips.bytes
            edge.setWritable(true)
        }
        #expect(edge.channel.isActive == (sips.droppedBefore == nil))
        if let bound = sips.droppedBefore { #expect(passed - sips.seconds < bound) }
    }

    @Test func `all replies to one read go out in one write`() throws {
        let edge = try EdgeChannel { part, codec in
            if case .end = part { codec.give(.whole(EdgeReply(status: 200, body: ByteBuffer(string: "hello")))) }
        }
        try edge.send(String(repeating: Self.get, count: 5))
        let writes = try edge.writes()
        #expect(writes.count == 1)
        #expect(writes.joined().components("HTTP/1.1 200 OK").count == 6)
    }

    @Test func `two connections of one loop never mix their replies`() throws {
        let loop = EmbeddedEventLoop()
        let edge = EdgeLoop(loop: loop, seed: 1)
        let pairs = try (0..<2).map { _ in
            let receiver = PartRecorder()
            let channel = EmbeddedChannel(loop: loop)
            let codec = EdgeCodec(limits: SharedLimits(EdgeLimits()), edge: edge, receiver: receiver)
            try channel.pipeline.syncOperations.addHandler(codec)
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 8080)).wait()
            try channel.writeInbound(ByteBuffer(string: Self.get))
            return (channel, codec)
        }
        // Streamed in turns, without a flush between.
        for (_, codec) in pairs { codec.give(.head(EdgeReplyHead(status: 200, framing: .chunked))) }
        for part in ["one", "two", "three"] {
            for (index, pair) in pairs.enumerated() { pair.1.give(.body(ByteBuffer(string: "\(part) of \(index)"))) }
        }
        for (_, codec) in pairs {
            codec.give(.end)
            codec.flush()
        }
        for (index, pair) in pairs.enumerated() {
            var text = ""
            while let bytes = try pair.0.readOutbound(as: ByteBuffer.self) { text += String(buffer: bytes) }
            #expect(text.components("HTTP/1.1 200 OK").count == 2)
            #expect(text.components("of \(index)").count == 4)
            #expect(!text.contains("of \(1 - index)"))
            #expect(text.hasSuffix("0\r\n\r\n"))
        }
    }

    @Test func `a visitor who has ended its side still gets the answer`() throws {
        let edge = try EdgeChannel()
        try edge.send(Self.get)
        edge.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(edge.channel.isActive)
        edge.reply(EdgeReply(status: 200, body: ByteBuffer(string: "hello")))
        #expect(try edge.written().hasSuffix("hello"))
        #expect(!edge.channel.isActive)
        let idle = try EdgeChannel()
        idle.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(!idle.channel.isActive)
    }

    @Test(arguments: [(2000, true), (900, false)])
    func `a body must come at a least rate once its grace is over`(_ bytesPerSecond: Int, _ isFastEnough: Bool) throws {
        let edge = try EdgeChannel { part, codec in
            switch part {
            case .head, .body: codec.read()
            default: break
            }
        }
        try edge.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n")
        for _ in 0..<20 {
            edge.pass(.seconds(1))
            try edge.send(String(repeating: "x", count: bytesPerSecond / 2))
        }
        // Half the rate in the whole time is less than 1 KiB/s behind the grace for one, and more for the other.
        #expect((edge.parts().refusal == .timedOut) == !isFastEnough)
    }

    @Test func `time in which nobody asks for the body is not the visitor's`() throws {
        let edge = try EdgeChannel()
        try edge.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n")
        edge.pass(.seconds(120))
        #expect(edge.parts().refusal == nil)
        edge.codec.read()
        edge.pass(.seconds(6))
        #expect(edge.parts().refusal == .timedOut)
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
        #expect(edge.parts().heads.count == 2)
    }
}

extension String {
    func components(_ separator: String) -> [String] {
        split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
}
