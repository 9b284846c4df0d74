// Tells the store which passes are used from where: the news of one room and a few milliseconds together. The store
// sees the news of all gateways, and says which passes are shared.
import NIOCore
import QueueTokens
import Queueing
import Redis

final class SightingBatcher {
    static let sliceTime = TimeAmount.milliseconds(5)
    static let sliceMax = 256
    /// News beyond these are not told; the next use of the same pass is news again soon.
    static let waitingMax = 4096

    struct Sighting {
        let pass: PassToken
        let network: PassNetwork
        let isShared: Bool
    }

    private let room: RoomName
    private let redis: RedisClient
    private let loop: any EventLoop
    private let found: (PassToken, Verdict) -> Void
    private var waiting: [Sighting] = []
    private var isOpen = false

    /// What the store did about a shared pass.
    struct Verdict {
        /// Seconds since 1970: tokens of the pass from before are dead. 0: all are; nil: all go on.
        let goodFrom: Int64?
        /// Nobody else has seen to it in the last minute.
        let isFirst: Bool
    }

    init(
        room: RoomName,
        redis: RedisClient,
        loop: any EventLoop,
        found: @escaping (PassToken, Verdict) -> Void
    ) {
        self.room = room
        self.redis = redis
        self.loop = loop
        self.found = found
    }

    func tell(_ sighting: Sighting, action: RoomPolicy.Sharing, now: Moment) {
        guard waiting.count < Self.waitingMax else { return }
        waiting.append(sighting)
        guard !isOpen else { return }
        isOpen = true
        schedule(action, now)
    }

    private func schedule(_ action: RoomPolicy.Sharing, _ now: Moment) {
        loop.assumeIsolated().scheduleTask(in: Self.sliceTime) { self.send(action, now) }
    }

    private func send(_ action: RoomPolicy.Sharing, _ now: Moment) {
        let slice = Array(waiting.prefix(Self.sliceMax))
        waiting.removeFirst(slice.count)
        isOpen = !waiting.isEmpty
        if isOpen { schedule(action, now) }
        let arguments: [RedisArgument] = slice.flatMap { sighting -> [RedisArgument] in
            [
                .text(sighting.pass.passID), RedisArgument(sighting.pass.place),
                RedisArgument(sighting.pass.endsAt * 1000), .text(sighting.network.text), sighting.isShared ? "1" : "0",
            ]
        }
        let keys = RoomKeys(room).forSightings(minute: now.milliseconds / 60_000)
        redis.callFuture(RoomFunctions.see, keys: keys, arguments: [.text(action.rawValue)] + arguments, on: loop)
            .assumeIsolated()
            .whenComplete { result in
                let replies = (try? result.get())?.asArray ?? []
                guard replies.count == slice.count * 2 else { return }
                for (index, sighting) in slice.enumerated() {
                    guard let verdict = replies[index * 2].asInteger, verdict > 0 else { continue }
                    let from = replies[index * 2 + 1].asInteger.map(Int64.init) ?? -1
                    self.found(sighting.pass, Verdict(goodFrom: from < 0 ? nil : from, isFirst: verdict == 1))
                }
            }
    }
}
