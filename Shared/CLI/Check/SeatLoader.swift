// Reads a session's seats from Redis, all of one moment.

import Checking
import Ordering
import Redis

struct SeatLoader {
    let redis: RedisClient
    let deadline: Duration

    /// `nil` for a session that Redis does not have.
    func load(_ session: SessionID) async throws(RedisFailure) -> SeatFacts? {
        let tag = "{s:\(session)}"
        let sections = try await redis.call(["HGET", .text(tag + ":meta"), "sections"], deadline: deadline).asInteger
        guard let sections else { return nil }
        let commands: [[RedisArgument]] =
            [
                ["MULTI"], ["HGETALL", .text(tag + ":meta")], ["GET", .text(tag + ":rows")],
                ["HGETALL", .text(tag + ":own")], ["HGETALL", .text(tag + ":hold")], ["HGETALL", .text(tag + ":lim")],
            ] + (0..<sections).map { ["GET", .text(tag + ":sec:\($0)")] } + [["EXEC"]]
        let replies = try await redis.pipeline(commands, deadline: deadline)
        guard let parts = replies.last?.asArray, parts.count == 5 + sections,
            let meta = parts[0].asDictionary, let epoch = meta["epoch"]?.asInteger
        else { return nil }
        return facts(session, epoch: Int64(epoch), meta: meta, parts: parts)
    }

    private func facts(
        _ session: SessionID,
        epoch: Int64,
        meta: [String: RedisValue],
        parts: [RedisValue]
    ) -> SeatFacts {
        func count(_ name: String) -> Int { meta[name]?.asInteger ?? -1 }
        var facts = SeatFacts(
            session: session,
            epoch: epoch,
            letters: Self.letters(rows: parts[1].asBytes ?? [], sections: parts[5...].map { $0.asBytes ?? [] }),
            counts: SeatCounts(
                free: count("free"),
                held: count("held"),
                pending: count("pending"),
                sold: count("sold"),
                blocked: count("blocked")
            )
        )
        for (seat, hold) in parts[2].asDictionary ?? [:] {
            guard let number = SeatNumber(seat), let id = HoldID(hold.asText ?? "") else {
                facts.unreadable.append("the owner of seat \(seat)")
                continue
            }
            facts.owners[number] = id
        }
        for (name, value) in parts[3].asDictionary ?? [:] {
            guard let id = HoldID(name), let hold = Self.hold(value.asText ?? "") else {
                facts.unreadable.append("hold \(name)")
                continue
            }
            facts.holds[id] = hold
        }
        for (name, value) in parts[4].asDictionary ?? [:] {
            guard let account = AccountID(name), let count = value.asInteger else {
                facts.unreadable.append("the count of buyer \(name)")
                continue
            }
            facts.buyers[account] = count
        }
        return facts
    }

    /// The letter of each seat number, which count up over the rows. Per row 15 bytes, big endian: section (2), byte in
    /// the section's string (4), seats (4), and what is not needed here.
    private static func letters(rows: [UInt8], sections: [[UInt8]]) -> [UInt8] {
        stride(from: 0, to: rows.count - rows.count % 15, by: 15).flatMap { at in
            func number(_ bytes: Range<Int>) -> Int { rows[bytes].reduce(0) { $0 << 8 | Int($1) } }
            let (section, offset, count) = (number(at..<at + 2), number(at + 2..<at + 6), number(at + 6..<at + 10))
            return (offset..<offset + count).map { byte in
                guard sections.indices.contains(section), sections[section].indices.contains(byte) else {
                    return UInt8(ascii: "?")
                }
                return sections[section][byte]
            }
        }
    }

    /// `state;fence;deadline;account;order;extensions;born;seats`
    private static func hold(_ text: String) -> SeatFacts.Hold? {
        let parts = text.split(separator: ";", omittingEmptySubsequences: false)
        guard parts.count == 8, parts[0] == "A" || parts[0] == "P", let account = AccountID(parts[3]) else {
            return nil
        }
        return SeatFacts.Hold(
            state: parts[0] == "P" ? .pinned : .active,
            account: account,
            order: OrderID(parts[4]),
            seats: parts[7].split(separator: ",").compactMap { SeatNumber($0) }
        )
    }
}
