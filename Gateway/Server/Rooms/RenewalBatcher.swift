// Writes renewals of passes to Redis before the fresh passes go out: the ones of one room and a few milliseconds together.
import NIOCore
import QueueTokens
import Queueing
import Redis

final class RenewalBatcher {
    static let sliceTime = TimeAmount.milliseconds(5)
    static let sliceMax = 256
    static let waitingMax = 4096

    private struct Member {
        let pass: PassToken
        let wantedMS: Int64
        let reason: String
        let promise: EventLoopPromise<Moment?>
    }

    private let room: RoomName
    private let redis: RedisClient
    private let loop: any EventLoop
    private var waiting: [Member] = []
    private var isOpen = false

    init(room: RoomName, redis: RedisClient, loop: any EventLoop) {
        self.room = room
        self.redis = redis
        self.loop = loop
    }

    /// Until when the pass now holds; nil when it ended meanwhile or the store is away. Never fails.
    func renew(_ pass: PassToken, until wantedMS: Int64, reason: String) -> EventLoopFuture<Moment?> {
        guard waiting.count < Self.waitingMax else { return loop.makeSucceededFuture(nil) }
        let promise = loop.makePromise(of: Moment?.self)
        waiting.append(Member(pass: pass, wantedMS: wantedMS, reason: reason, promise: promise))
        if !isOpen {
            isOpen = true
            loop.assumeIsolated().scheduleTask(in: Self.sliceTime) { self.send() }
        }
        return promise.futureResult
    }

    private func send() {
        let slice = Array(waiting.prefix(Self.sliceMax))
        waiting.removeFirst(slice.count)
        isOpen = !waiting.isEmpty
        if isOpen { loop.assumeIsolated().scheduleTask(in: Self.sliceTime) { self.send() } }
        let arguments: [RedisArgument] = slice.flatMap { member -> [RedisArgument] in
            [
                .text(member.pass.passID), RedisArgument(member.pass.place), RedisArgument(member.wantedMS),
                RedisArgument(member.pass.endsAt * 1000), .text(member.reason),
            ]
        }
        redis.callFuture(RoomFunctions.renew, keys: RoomKeys(room).forRenewal, arguments: arguments, on: loop)
            .assumeIsolated()
            .whenComplete { result in
                let replies = (try? result.get())?.asArray ?? []
                for (index, member) in slice.enumerated() {
                    let expiry = index < replies.count ? replies[index].asInteger ?? 0 : 0
                    member.promise.succeed(expiry > 0 ? Moment(milliseconds: Int64(expiry)) : nil)
                }
            }
    }
}
