// Every gateway computes again what the leader has ranked, and serves no room whose ranks are others.
import Fairness
package import Logging
import NIOPosix
package import Operations
import Queueing
package import Redis
import ServiceLifecycle
import UsherAPI

package struct RankCheck: Service {
    /// Numbers whose ranks are read in one call.
    static let ranksAtOnceMax = 65_536
    /// How often ranks that were found wrong are looked at again.
    static let againEvery: Duration = .seconds(2)

    private let store: RoomStore
    private let rooms: Rooms
    private let logs: RoomLogs
    private let chain: BeaconChain
    private let interval: Duration
    private let metrics: MetricsRegistry
    private let logger: Logger

    package init(
        redis: RedisClient,
        rooms: Rooms,
        logs: RoomLogs,
        chain: BeaconChain,
        interval: Duration,
        metrics: MetricsRegistry,
        logger: Logger
    ) {
        store = RoomStore(redis: redis)
        self.rooms = rooms
        self.logs = logs
        self.chain = chain
        self.interval = interval
        self.metrics = metrics
        self.logger = logger
    }

    /// How far a room's ranks were checked.
    private struct Checked: Equatable {
        var generation = 0
        var draw: String?
        var through: UInt64 = 0
        var flaw: String?
        var lookedAt = ContinuousClock.now
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var checked: [RoomName: Checked] = [:]
            while !Task.isCancelled {
                for view in rooms.view.rooms.values where !view.snapshot.isDegraded {
                    checked[view.name] = await look(at: view.snapshot, checked[view.name] ?? Checked())
                }
                try? await Task.sleep(for: interval)
            }
        }
    }

    private func look(at room: RoomSnapshot, _ before: Checked) async -> Checked {
        var checked = before
        if checked.generation != room.generation { checked = Checked(generation: room.generation) }
        if checked.flaw != nil {
            guard ContinuousClock.now - checked.lookedAt >= Self.againEvery else { return checked }
            checked.through = 0
            checked.draw = nil
        }
        checked.lookedAt = .now
        do {
            switch room.policy.order {
            case .lottery: try await checkDraw(room, &checked)
            case .firstCome where room.policy.tieWindowMS > 0: try await checkTies(room, &checked)
            case .firstCome: break
            }
            checked.flaw = nil
        } catch let flaw as DrawFlaw {
            checked.flaw = flaw.description
        } catch {
            // The store or the file is away: nothing is known against the ranks.
            return checked
        }
        publish(checked.flaw, before.flaw, room)
        return checked
    }

    private func publish(_ flaw: String?, _ before: String?, _ room: RoomSnapshot) {
        let gauge = metrics.gauge(
            "usher_gateway_room_misranked",
            "1 while the room is not served, as its ranks are not what the draw or the ties give.",
            labels: ["room": room.name.text]
        )
        gauge.set(flaw == nil ? 0 : 1)
        guard flaw != before else { return }
        rooms.update { $0.misranked[room.name.text] = flaw }
        if let flaw {
            logger.error("room is not served", metadata: ["room": "\(room.name)", "reason": "\(flaw)"])
        } else {
            logger.notice("room is served again", metadata: ["room": "\(room.name)"])
        }
    }

    // MARK: What is checked

    private func checkDraw(_ room: RoomSnapshot, _ checked: inout Checked) async throws {
        guard let text = room.order.draw, text != checked.draw else { return }
        guard let document = DrawDocument(text) else { throw DrawFlaw("the draw cannot be read") }
        guard let log = logs.log(of: room), log.hold == nil, log.count >= Int(document.count) else { return }
        guard let root = try log.root(at: Int(document.count)) else { return }
        let seed = try document.verifiedSeed(of: room, root: root, chain: chain)
        try await compare(RankBlock(first: 1, count: document.count, seed: seed), room)
        checked.draw = text
    }

    private func checkTies(_ room: RoomSnapshot, _ checked: inout Checked) async throws {
        for tie in room.order.ties.suffix(from: firstTie(of: room, after: checked.through)) {
            let last = tie.first + tie.count - 1
            guard last <= room.order.rankedThrough else { return }
            let seed = TieBreak.seed(
                secret: room.order.secret,
                room: room.name.text,
                first: tie.first,
                count: tie.count
            )
            try await compare(RankBlock(first: tie.first, count: tie.count, seed: seed), room)
            checked.through = last
        }
    }

    private func firstTie(of room: RoomSnapshot, after number: UInt64) -> Int {
        let ties = room.order.ties
        var (low, high) = (0, ties.count)
        while low < high {
            let middle = (low + high) / 2
            if ties[middle].first <= number { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private func compare(_ block: RankBlock, _ room: RoomSnapshot) async throws {
        let ranks = try await NIOThreadPool.singleton.runIfActive { block.ranks() }
        var done = 0
        while done < ranks.count {
            let end = min(ranks.count, done + Self.ranksAtOnceMax)
            let stored = try await store.ranks(room.name, from: block.first + UInt64(done), count: end - done)
            guard stored == RankTable.packed(Array(ranks[done..<end])) else {
                throw DrawFlaw("the ranks in the store from number \(block.first) on are not those that follow")
            }
            done = end
        }
    }
}

extension RoomStore {
    /// Ranks as they are stored, four bytes each.
    func ranks(_ room: RoomName, from number: UInt64, count: Int) async throws -> [UInt8] {
        let first = Int(number - 1) * RankTable.bytesPerNumber
        let last = first + count * RankTable.bytesPerNumber - 1
        let reply = try await redis.call(["GETRANGE", RoomKeys(room).ranks, .integer(first), .integer(last)])
        return reply.asBytes ?? []
    }
}
