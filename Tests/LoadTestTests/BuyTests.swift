// The lean load generator reads replies without parsing them, and asks for no more seats than there are.
import NIOCore
import Testing

@testable import LoadTest

struct BuyTests {
    private static let paid =
        #"{"id":"ord_1","payment":{"id":"pay_1","state":"captured"},"seats":[{"seat":"A-1-1"}],"state":"paid"}"#

    private func buffer(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }

    @Test func `a reply is taken off the front when all of it is there`() throws {
        let text = "HTTP/1.1 200 OK\r\ncontent-length: \(Self.paid.utf8.count)\r\n\r\n\(Self.paid)"
        for length in 0..<text.utf8.count {
            var part = ByteBuffer(bytes: text.utf8.prefix(length))
            let reply = try PlainReply.next(from: &part)
            #expect(reply == nil, "\(length) bytes are no reply")
            #expect(part.readableBytes == length)
        }
        var whole = buffer(text + "HTTP/1.1")
        let reply = try #require(try PlainReply.next(from: &whole))
        #expect(reply.status == 200 && !reply.closes && String(buffer: reply.body) == Self.paid)
        #expect(String(buffer: whole) == "HTTP/1.1")
    }

    @Test(arguments: [
        (head: "HTTP/1.1 204 No Content\r\n", status: 204, closes: false),
        (head: "HTTP/1.1 503 Busy\r\nContent-Length:0\r\nConnection: Close\r\n", status: 503, closes: true),
    ])
    func `a reply without a body needs no length or has none`(head: String, status: Int, closes: Bool) throws {
        var bytes = buffer(head + "\r\n")
        let reply = try #require(try PlainReply.next(from: &bytes))
        #expect(reply.status == status && reply.closes == closes && reply.body.readableBytes == 0)
    }

    @Test(arguments: ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 twenty OK\r\nContent-Length: 0\r\n\r\n"])
    func `what is no reply is refused`(text: String) {
        var bytes = buffer(text)
        #expect(throws: PlainReply.Flaw.self) { try PlainReply.next(from: &bytes) }
    }

    @Test func `texts are found where they begin`() throws {
        var bytes = buffer("HTTP/1.1 200 OK\r\nContent-Length: \(Self.paid.utf8.count)\r\n\r\n\(Self.paid)")
        let reply = try #require(try PlainReply.next(from: &bytes))
        #expect(reply.text(after: "\"id\":\"") == "ord_1")
        #expect(reply.texts(after: "\"id\":\"") == ["ord_1", "pay_1"])
        #expect(reply.texts(after: "\"seat\":\"") == ["A-1-1"])
        #expect(reply.contains("\"state\":\"paid\"") && !reply.contains("\"state\":\"void\""))
        #expect(reply.text(after: "\"hold\":\"") == nil)
    }

    @Test func `buyers together ask for every seat and for none that is not there`() {
        for free in [0, 1, 2, 7, 100, 1_001] {
            var share = SeatShare(free: free, chance: SplitMix64(seed: 7))
            var asked = 0
            while let count = share.take(1...4) {
                #expect((1...4).contains(count))
                asked += count
            }
            #expect(asked == free)
        }
    }

    @Test func `what was given back is given out again`() {
        var share = SeatShare(free: 2, chance: SplitMix64(seed: 1))
        #expect(share.take(2...2) == 2)
        #expect(share.take(2...2) == nil)
        share.giveBack(2)
        #expect(share.take(2...2) == 2)
    }
}
