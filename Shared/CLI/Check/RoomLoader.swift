// Reads a waiting room from Redis: the long parts piece by piece, the state and the end of the record at one moment.

import Checking
import Redis

struct RoomLoader {
    let redis: RedisClient
    let deadline: Duration

    /// Elements asked for at once.
    static let pieceMax = 10_000
    /// Entries of the log, or ranks, asked for at once.
    static let recordsMax = 32_768

    func names() async throws(RedisFailure) -> [String] {
        let reply = try await redis.call(["SMEMBERS", "{r:}:rooms"], deadline: deadline)
        return (reply.asArray ?? []).compactMap(\.asText).sorted()
    }

    /// `nil` for a room that is listed and not there.
    func load(_ name: String) async throws(RedisFailure) -> RoomFacts? {
        let start = "{r:\(name)}:"
        // Numbers and passes first: what they say must hold for the state read after them.
        let tags = try await scan(start + "tags")
        let passes = try await scan(start + "passes")
        let (record, last) = try await record(start + "grants")
        let replies = try await redis.pipeline(
            [
                ["MULTI"], ["HGETALL", .text(start + "meta")],
                ["ZRANGE", .text(start + "active"), 0, -1, "WITHSCORES"],
                ["XRANGE", .text(start + "grants"), .text("(" + last), "+"], ["STRLEN", .text(start + "log")], ["TIME"],
                ["EXEC"],
            ],
            deadline: deadline
        )
        guard let parts = replies.last?.asArray, parts.count == 5, let meta = parts[0].asDictionary,
            let allowance = Self.allowance(meta)
        else { return nil }
        let time = (parts[4].asArray ?? []).compactMap(\.asInteger)
        let now = Int64(time.first ?? 0) * 1000 + Int64(time.last ?? 0) / 1000
        var facts = RoomFacts(name: name, allowance: allowance, now: now)
        facts.number = meta["number"]?.asInteger ?? 0
        facts.cursor = meta["cursor"]?.asInteger ?? 0
        facts.granted = meta["granted"]?.asInteger ?? 0
        facts.logBytes = parts[3].asInteger ?? 0
        for value in tags.values {
            if let number = value.asInteger {
                facts.placesByTag.append(number)
            } else {
                facts.unreadable.append("a tag")
            }
        }
        for (place, value) in passes {
            guard let number = Int(place), let text = value.asText else {
                facts.unreadable.append("the pass of place \(place)")
                continue
            }
            facts.passes[number] = String(text.prefix { $0 != "@" })
        }
        // Passes a lost store had, of which only the count is known: they hold room under the cap until they end or come.
        facts.active = Self.scores(parts[1]).filter { !$0.key.hasPrefix("lost:") }
        for value in record + (parts[2].asArray ?? []) {
            if let entry = Self.entry(value) {
                facts.entries.append(entry)
            } else {
                let kind = value.asArray?.last?.asDictionary?["kind"]?.asText
                facts.unreadable.append("an entry of the record of kind \(kind ?? "unknown")")
            }
        }
        facts.emptyLeaves = try await emptyLeaves(start + "log", bytes: facts.logBytes)
        facts.ranks = try await ranks(start + "ranks", through: facts.number)
        return facts
    }

    /// All fields of a hash.
    private func scan(_ key: String) async throws(RedisFailure) -> [String: RedisValue] {
        var fields: [String: RedisValue] = [:]
        var cursor = "0"
        repeat {
            let reply = try await redis.call(
                ["HSCAN", .text(key), .text(cursor), "COUNT", .integer(Self.pieceMax)],
                deadline: deadline
            )
            guard let parts = reply.asArray, parts.count == 2, let next = parts[0].asText else { return fields }
            // Dedupe tags are bytes: their names are of no interest, only that they differ.
            let pairs = parts[1].asArray ?? []
            for index in stride(from: 0, to: pairs.count - 1, by: 2) {
                fields[Self.name(pairs[index])] = pairs[index + 1]
            }
            cursor = next
        } while cursor != "0"
        return fields
    }

    private static func name(_ value: RedisValue) -> String {
        value.asText ?? (value.asBytes ?? []).map { String($0, radix: 16) }.joined(separator: ".")
    }

    /// The record so far and the id of its last entry.
    private func record(_ key: String) async throws(RedisFailure) -> ([RedisValue], String) {
        var entries: [RedisValue] = []
        var last = "0-0"
        while true {
            let reply = try await redis.call(
                ["XRANGE", .text(key), .text("(" + last), "+", "COUNT", .integer(Self.pieceMax)],
                deadline: deadline
            )
            let piece = reply.asArray ?? []
            guard let id = piece.last?.asArray?.first?.asText else { return (entries, last) }
            entries += piece
            last = id
        }
    }

    /// Numbers whose entry is all zero.
    private func emptyLeaves(_ key: String, bytes: Int) async throws(RedisFailure) -> Set<Int> {
        var empty: Set<Int> = []
        try await eachRecord(of: key, RoomFacts.entryBytes, through: bytes / RoomFacts.entryBytes) { number, entry in
            if entry.allSatisfy({ $0 == 0 }) { empty.insert(number) }
        }
        return empty
    }

    /// Four bytes each; 0 where the rank is the number.
    private func ranks(_ key: String, through last: Int) async throws(RedisFailure) -> [Int: Int] {
        var ranks: [Int: Int] = [:]
        try await eachRecord(of: key, 4, through: last) { number, bytes in
            let rank = bytes.reduce(0) { $0 << 8 | Int($1) }
            if rank != 0, rank != number { ranks[number] = rank }
        }
        return ranks
    }

    /// Goes through a string of records of one length, piece by piece. The first is that of number 1.
    private func eachRecord(
        of key: String,
        _ length: Int,
        through last: Int,
        _ take: (Int, ArraySlice<UInt8>) -> Void
    ) async throws(RedisFailure) {
        for first in stride(from: 0, to: last, by: Self.recordsMax) {
            let range = first * length..<min(first + Self.recordsMax, last) * length
            let piece =
                try await redis.call(
                    ["GETRANGE", .text(key), .integer(range.lowerBound), .integer(range.upperBound - 1)],
                    deadline: deadline
                ).asBytes ?? []
            for index in 0..<piece.count / length {
                take(first + index + 1, piece[index * length..<(index + 1) * length])
            }
        }
    }

    private static func allowance(_ fields: [String: RedisValue]) -> RoomFacts.Allowance? {
        guard let perMinute = fields["per_minute"]?.asInteger, let burst = fields["burst"]?.asInteger,
            let activeMax = fields["active_max"]?.asInteger
        else { return nil }
        return RoomFacts.Allowance(perMinute: perMinute, burst: burst, activeMax: activeMax)
    }

    private static func scores(_ value: RedisValue) -> [String: Int64] {
        var scores: [String: Int64] = [:]
        let pairs = value.asArray ?? []
        for index in stride(from: 0, to: pairs.count - 1, by: 2) {
            guard let member = pairs[index].asText, let score = pairs[index + 1].asText.flatMap({ Double($0) }) else {
                continue
            }
            scores[member] = Int64(score)
        }
        return scores
    }

    private static func entry(_ value: RedisValue) -> RoomFacts.Entry? {
        guard let parts = value.asArray, parts.count == 2, let fields = parts[1].asDictionary,
            let at = parts[0].asText.flatMap({ Int64($0.prefix { $0 != "-" }) })
        else { return nil }
        let pass = fields["pid"]?.asText ?? ""
        let expiry = fields["exp"]?.asInteger.map { Int64($0) }
        switch (fields["kind"]?.asText, expiry) {
        case ("grant", let expiry?):
            guard let place = fields["place"]?.asInteger else { return nil }
            return .init(at: at, .grant(pass: pass, place: place, expiry: expiry))
        case ("restore", let expiry?):
            guard let place = fields["place"]?.asInteger else { return nil }
            return .init(at: at, .restore(pass: pass, place: place, expiry: expiry))
        case ("renew", let expiry?): return .init(at: at, .renew(pass: pass, expiry: expiry))
        case ("end", _): return .init(at: at, .end(pass: pass))
        case ("policy", _): return allowance(fields).map { .init(at: at, .policy($0)) }
        default: return nil
        }
    }
}
