// What gateways keep of the latest joins, and how the replies of a slice go out.
import EdgeHTTP
import Fairness
import NIOCore
import NIOEmbedded
import Queueing
import Testing

@testable import GatewayServer

struct JoinReplyTests {
    @Test(arguments: [1, JoinReplies.gatheredMax - 1, JoinReplies.gatheredMax, 3 * JoinReplies.gatheredMax + 1])
    func `every reply goes out once, in order, before the loop turns to anything else`(count: Int) {
        let loop = EmbeddedEventLoop()
        let replies = JoinReplies(loop: loop)
        var seen: [Int] = []
        for _ in 0..<2 {
            for number in 0..<count {
                replies.give(EdgeReply(status: number)) { seen.append($0.status) }
                // No more of them are held back than that.
                #expect(number + 1 - seen.count < JoinReplies.gatheredMax)
            }
            loop.run()
            #expect(seen == Array(0..<count))
            seen = []
        }
    }

    @Test func `a body is written again once it was sent, and never while somebody has it`() {
        let loop = EmbeddedEventLoop()
        let replies = JoinReplies(loop: loop)
        var kept: [ByteBuffer] = []
        func send(_ text: String, keeping: Bool) -> UnsafeRawPointer? {
            var body = replies.body()
            #expect(body.readableBytes == 0)
            body.reserveCapacity(JoinReplies.spareBytes.lowerBound)
            body.writeString(text)
            let place = body.withUnsafeReadableBytes { $0.baseAddress }
            replies.give(EdgeReply(status: 200, contentType: "text/plain", body: body)) { reply in
                #expect(String(buffer: reply.body) == text)
                if keeping { kept.append(reply.body) }
            }
            body = ByteBuffer()
            loop.run()
            return place
        }
        let first = send("one", keeping: false)
        #expect(send("two", keeping: true) == first)
        #expect(send("three", keeping: true) != first)
        _ = send("four", keeping: false)
        #expect(kept.map { String(buffer: $0) } == ["two", "three"])
    }

    @Test func `the latest joins are told with their entries, older ones are forgotten`() throws {
        let memory = RoomMemory()
        let room = try #require(RoomName("arena"))
        let old = Moment(milliseconds: 1000)
        let now = old + RoomMemory.joinsKept + .seconds(1)
        func entry(_ number: UInt8) -> [UInt8] { [UInt8](repeating: number, count: ArrivalEntry.length) }
        memory.note(joins: [1, 2], entries: entry(1) + entry(2), at: old, in: room)
        #expect(memory.joins(of: room).map(\.number) == [1, 2])
        memory.note(joins: [4, 3], entries: entry(4) + entry(3), at: now, in: room)
        let known = memory.joins(of: room)
        #expect(known.map(\.number) == [4, 3] && known.map(\.entry) == [entry(4), entry(3)])
        #expect(memory.highest(of: room) == 4)
    }
}
