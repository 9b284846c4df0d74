// The access lists and bans in Redis.
import Queueing
import RateLimiting
package import Redis

enum AccessKeys {
    static func version(_ name: AccessListName) -> RedisArgument { .text("{r:}:\(name.rawValue)-version") }

    // In the order in which `limits.lua` lists them.
    static func list(_ name: AccessListName) -> [RedisArgument] {
        [.text("{r:}:\(name.rawValue)"), .text("{r:}:\(name.rawValue)-ends"), version(name)]
    }
    static let bans: [RedisArgument] = ["{r:}:bans", "{r:}:bans-order", "{r:}:bans-forget", "{r:}:bans-changes"]
}

/// The functions of `limits.lua`, by name.
package enum AccessFunctions {
    package static let library = RedisFunctionLibrary(name: "limits", source: PackageResources.limits_lua)

    static let enlist = library.function("enlist")
    static let delist = library.function("delist")
    static let listing = library.function("listing")
    static let relist = library.function("relist")
    static let ban = library.function("ban")
    static let lift = library.function("lift")
    static let bansSince = library.function("bans_since")
}

/// A ban as the store keeps it.
package struct KnownBan: Sendable, Equatable {
    /// An IPv4 address, or the /64 of an IPv6 address.
    package var address: String
    /// 0 and at level 0 when it was lifted.
    package var endMS: Int64
    package var level: Int
    package var sinceMS: Int64
    package var rule: String

    var isLifted: Bool { level == 0 }
    var key: LimitKey? { LimitKey(addressText: address) }

    init?(address: RedisValue, record: RedisValue) {
        guard let address = address.asText, let parts = record.asText?.split(separator: ":"), parts.count == 4,
            let end = Int64(parts[0]), let level = Int(parts[1]), let since = Int64(parts[2])
        else { return nil }
        self.address = address
        endMS = end
        self.level = level
        sinceMS = since
        rule = String(parts[3])
    }
}

/// What admins read and change.
package struct AccessStore: Sendable {
    package enum Change: Sendable, Equatable {
        case done, notThere, full
    }

    private let redis: RedisClient

    package init(redis: RedisClient) {
        self.redis = redis
    }

    package func put(_ entry: AccessEntry, on list: AccessListName) async throws -> Change {
        let reply = try await redis.call(
            AccessFunctions.enlist,
            keys: AccessKeys.list(list),
            arguments: [
                .text(entry.entry), .bytes(entry.json), RedisArgument(entry.expiry?.milliseconds ?? 0),
                .integer(AccessList.entriesMax),
            ]
        )
        return reply.asInteger == 0 ? .full : .done
    }

    package func remove(_ entry: String, from list: AccessListName) async throws -> Change {
        let reply = try await redis.call(
            AccessFunctions.delist,
            keys: AccessKeys.list(list),
            arguments: [.text(entry)]
        )
        return reply.asInteger == 0 ? .notThere : .done
    }

    /// The JSON of each entry that has not ended, as it was put there.
    package func entries(of list: AccessListName) async throws -> [[UInt8]] {
        let reply = try await redis.call(AccessFunctions.listing, keys: AccessKeys.list(list))
        guard let listing = Listing(reply) else { throw UnreadableReply(function: "listing") }
        return listing.entries.map(\.json)
    }

    /// Those that have not ended, the latest first, and the store's time.
    package func bans() async throws -> (bans: [KnownBan], nowMS: Int64) {
        var bans: [KnownBan] = []
        var since = 0
        var nowMS: Int64 = 0
        for _ in 0..<Self.pagesMax {
            let reply = try await redis.call(
                AccessFunctions.bansSince,
                keys: AccessKeys.bans,
                arguments: [.integer(since), .integer(BanNews.bansMax)]
            )
            guard let news = BanNews(reply) else { throw UnreadableReply(function: "bans_since") }
            bans += news.bans
            since = news.told
            nowMS = news.nowMS
            if news.bans.count < BanNews.bansMax { break }
        }
        return (bans.filter { nowMS < $0.endMS }.sorted { $0.sinceMS > $1.sinceMS }, nowMS)
    }

    private static let pagesMax = 100

    package func lift(_ address: String) async throws -> Change {
        let reply = try await redis.call(AccessFunctions.lift, keys: AccessKeys.bans, arguments: [.text(address)])
        return reply.asInteger == 1 ? .done : .notThere
    }
}

/// A whole list, as the function `listing` answers it.
struct Listing: Sendable {
    struct Entry: Sendable {
        var name: String
        /// 0 for good.
        var endMS: Int64
        var json: [UInt8]
    }

    var version: Int
    var entries: [Entry]

    init?(_ reply: RedisValue) {
        guard let parts = reply.asArray, parts.count % 3 == 1, let version = parts[0].asInteger else { return nil }
        self.version = version
        entries = []
        entries.reserveCapacity(parts.count / 3)
        for index in stride(from: 1, to: parts.count, by: 3) {
            guard let name = parts[index].asText, let end = parts[index + 1].asInteger,
                let json = parts[index + 2].asBytes
            else { return nil }
            entries.append(Entry(name: name, endMS: Int64(end), json: json))
        }
    }

    /// For the hot path. Entries that this version cannot read name nobody.
    var list: AccessList {
        var list = AccessList()
        for entry in entries {
            guard let target = try? AccessTarget(entry.name) else { continue }
            list.insert(target, endMS: entry.endMS > 0 ? entry.endMS : nil)
        }
        return list
    }
}

/// What has changed of the bans, as the function `bans_since` answers it.
struct BanNews: Sendable {
    static let bansMax = 1000

    var nowMS: Int64
    /// The number of the last change that is told here.
    var told: Int
    var bans: [KnownBan]

    init?(_ reply: RedisValue) {
        guard let parts = reply.asArray, parts.count >= 3, parts.count % 2 == 1, let now = parts[0].asInteger,
            let told = parts[2].asInteger
        else { return nil }
        nowMS = Int64(now)
        self.told = told
        bans = stride(from: 3, to: parts.count, by: 2).compactMap {
            KnownBan(address: parts[$0], record: parts[$0 + 1])
        }
    }
}
