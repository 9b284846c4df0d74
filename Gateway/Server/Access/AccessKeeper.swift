// Keeps this gateway's lists and bans and the store's the same: a few times a second it tells the bans that began here,
// hears of the others' and reads a list that has changed. While the store is away everything stays as it was; a list that
// the store has lost is put back.
package import Logging
import NIOCore
package import Operations
import RateLimiting
package import Redis
import ServiceLifecycle

package struct AccessKeeper: Service {
    private static let deadline: Duration = .seconds(1)
    /// For a list of the largest size.
    private static let listDeadline: Duration = .seconds(5)

    private let redis: RedisClient
    private let rooms: Rooms
    private let limits: Limits
    private let interval: Duration
    private let gauges: AccessGauges
    private let logger: Logger

    package init(
        redis: RedisClient,
        rooms: Rooms,
        limits: Limits,
        interval: Duration,
        gauges: AccessGauges,
        logger: Logger
    ) {
        self.redis = redis
        self.rooms = rooms
        self.limits = limits
        self.interval = interval
        self.gauges = gauges
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var memory = AccessMemory()
            while !Task.isCancelled {
                let isComplete = await exchange(&memory)
                gauges.set(limits)
                if !isComplete { continue }
                try? await Task.sleep(for: interval)
            }
        }
    }

    /// - Returns: false when there is more to hear of at once.
    private func exchange(_ memory: inout AccessMemory) async -> Bool {
        memory.untold += limits.takeFreshBans()
        if memory.untold.count > AccessMemory.untoldMax {
            memory.untold.removeFirst(memory.untold.count - AccessMemory.untoldMax)
        }
        do {
            let replies = try await redis.pipeline(
                memory.commands(bansMax: limits.plan.bansMax),
                deadline: Self.deadline
            )
            if replies.contains(where: { $0.asError?.hasPrefix("ERR Function not found") ?? false }) {
                try await redis.load(AccessFunctions.library)
                return memory.noteLoading()
            }
            guard replies.count == memory.commandCount, !replies.contains(where: { $0.asError != nil }),
                let news = BanNews(replies[2])
            else { throw UnreadableReply(function: "bans_since") }
            memory.untold = []
            for ban in news.bans { learn(ban, news.nowMS) }
            memory.told = news.told
            for (name, version) in zip(AccessListName.allCases, replies) {
                try await follow(name, version.asInteger, &memory)
            }
            memory.isAway = false
            memory.loads = 0
            return news.bans.count < BanNews.bansMax
        } catch {
            if !memory.isAway {
                logger.warning("lists and bans cannot be shared, the last ones hold", metadata: ["error": "\(error)"])
            }
            memory.isAway = true
            return true
        }
    }

    private func learn(_ ban: KnownBan, _ nowMS: Int64) {
        guard let key = ban.key else { return }
        if ban.isLifted {
            limits.liftBan(key)
        } else {
            limits.learnBan(key, level: ban.level, remaining: .milliseconds(ban.endMS - nowMS))
        }
    }

    private func follow(_ name: AccessListName, _ version: Int?, _ memory: inout AccessMemory) async throws {
        if let known = memory.listings[name], known.version > (version ?? 0) {
            // Never open because the store forgot: it gets back what is known here.
            let reply = try await redis.call(
                AccessFunctions.relist,
                keys: AccessKeys.list(name),
                arguments: known.arguments,
                deadline: Self.listDeadline
            )
            if reply.asInteger == 1 {
                logger.error("the store had lost the list: it was put back", metadata: ["list": "\(name.rawValue)"])
                return
            }
        } else if let known = memory.listings[name], known.version == version ?? 0 {
            return
        }
        let reply = try await redis.call(
            AccessFunctions.listing,
            keys: AccessKeys.list(name),
            deadline: Self.listDeadline
        )
        guard let listing = Listing(reply) else { throw UnreadableReply(function: "listing") }
        memory.listings[name] = listing
        let list = listing.list
        let isComplete = memory.listings.count == AccessListName.allCases.count
        rooms.update { view in
            view.access[name] = list
            view.access.isKnown = view.access.isKnown || isComplete
        }
        gauges.set(name, list.count)
    }
}

/// What is kept from one exchange to the next.
struct AccessMemory {
    /// Bans that wait for the store; the oldest are told to nobody when it is away for long.
    static let untoldMax = 4096
    private static let loadsMax = 3

    var listings: [AccessListName: Listing] = [:]
    var untold: [FreshBan] = []
    /// The number of the last change of bans that was heard of.
    var told = 0
    var isAway = false
    var loads = 0
    private(set) var commandCount = 0

    /// The versions of both lists, the bans since the last time, and the bans to tell.
    mutating func commands(bansMax: Int) -> [[RedisArgument]] {
        var commands: [[RedisArgument]] = AccessListName.allCases.map { ["GET", AccessKeys.version($0)] }
        commands.append(
            Self.command(AccessFunctions.bansSince, AccessKeys.bans, [.integer(told), .integer(BanNews.bansMax)])
        )
        if !untold.isEmpty {
            let arguments: [RedisArgument] = [.integer(bansMax)] + untold.flatMap(\.arguments)
            commands.append(Self.command(AccessFunctions.ban, AccessKeys.bans, arguments))
        }
        commandCount = commands.count
        return commands
    }

    private static func command(
        _ function: RedisFunction,
        _ keys: [RedisArgument],
        _ arguments: [RedisArgument]
    ) -> [RedisArgument] {
        ["FCALL", .text(function.name), .integer(keys.count)] + keys + arguments
    }

    /// - Returns: whether to wait before the next try.
    mutating func noteLoading() -> Bool {
        loads += 1
        return loads > Self.loadsMax
    }
}

extension FreshBan {
    fileprivate var arguments: [RedisArgument] {
        [
            .text(key.addressText), .integer(level), RedisArgument(lengthNS / 1_000_000),
            RedisArgument(memoryNS / 1_000_000), .text(LimitRule.name(ofIndex: Int(rule))),
        ]
    }
}

extension Listing {
    fileprivate var arguments: [RedisArgument] {
        [.integer(version)] + entries.flatMap { [.text($0.name), RedisArgument($0.endMS), .bytes($0.json)] }
    }
}

/// The numbers of lists and bans for operators.
package struct AccessGauges: Sendable {
    private let entries: [AccessListName: Gauge]
    private let bans: Gauge
    private let evictions: Gauge

    package init(_ registry: MetricsRegistry) {
        entries = Dictionary(
            uniqueKeysWithValues: AccessListName.allCases.map { name in
                (
                    name,
                    registry.gauge("usher_gateway_\(name.rawValue)_entries", "Entries of the \(name.rawValue) list.")
                )
            }
        )
        bans = registry.gauge("usher_gateway_ban_addresses", "Addresses banned, or banned lately.")
        evictions = registry.gauge("usher_gateway_limit_evictions", "Clients forgotten for others since the start.")
    }

    func set(_ name: AccessListName, _ count: Int) { entries[name]?.set(Double(count)) }

    func set(_ limits: Limits) {
        let state = limits.state
        bans.set(Double(state.bans))
        evictions.set(Double(state.evictions))
    }
}
