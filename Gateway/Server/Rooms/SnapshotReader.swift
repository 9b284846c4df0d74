// Turns the reply of the Redis function `snapshot` into a `RoomSnapshot`.
package import Queueing
import Redis
import Signing

/// What was read of one room the last time, so that only changes travel.
package struct KnownRoom: Sendable {
    package var snapshot: RoomSnapshot
    /// Count of revocations the set in the snapshot is from.
    package var revocations: Int
    /// Passes ever granted.
    package var granted: Int
    /// Computed from the snapshot.
    package var ranks = RoomRanks()
    /// How much of the record of recovered places the snapshot has.
    var recoveredBytes = 0
    /// The store does not have it any more; this is what was known last.
    package var isForgotten = false
    /// The store has forgotten something of it, and is to be told.
    var needsRestore = false

    package init(snapshot: RoomSnapshot, revocations: Int, granted: Int) {
        self.snapshot = snapshot
        self.revocations = revocations
        self.granted = granted
    }
}

enum SnapshotReader {
    static func command(_ room: RoomName, known: KnownRoom?) -> [RedisArgument] {
        let keys = RoomKeys(room).forSnapshot
        // A room that was lost may have been made again with any version: all of it is asked for.
        let known = known?.needsRestore == true ? nil : known
        return ["FCALL", .text(RoomFunctions.snapshot.name), .integer(keys.count)] + keys
            + [
                .integer(known?.snapshot.version ?? 0), .integer(known?.revocations ?? -1),
                .integer((known?.snapshot.order.ties.count ?? 0) * 16), .integer(known?.recoveredBytes ?? 0),
                known?.snapshot.order.draw == nil ? "0" : "1",
            ]
    }

    /// Nil when there is no such room, or its document cannot be read by this version.
    static func read(_ reply: RedisValue, name: RoomName, known: KnownRoom?) -> KnownRoom? {
        guard let parts = reply.asArray, parts.count == 35, let now = parts[0].asInteger,
            let version = parts[1].asInteger, let policyText = parts[2].asBytes, let hash = parts[3].asText,
            let phase = parts[4].asText.flatMap(Phase.init(rawValue:)),
            let override = parts[5].asText.flatMap({ Override(text: $0) }), let generation = parts[6].asInteger,
            let epoch = parts[7].asInteger, let cursor = parts[8].asUnsigned, let number = parts[9].asUnsigned,
            let forfeited = parts[10].asUnsigned, let rate = parts[11].asText.flatMap({ CallingRate(text: $0) }),
            let outlook = parts[12].asText.flatMap(RoomSnapshot.Outlook.init(rawValue:)),
            let dedupeKey = parts[13].asText.flatMap(Hex.decode), let live = parts[14].asInteger,
            let revocations = parts[15].asInteger, let moves = parts[17].asArray, let turned = parts[18].asArray,
            let granted = parts[19].asInteger, let pausedAt = parts[20].asInteger,
            let order = order(parts[21...], known: known?.snapshot.order), let recoveredFrom = parts[32].asInteger,
            let recoveredBytes = parts[33].asBytes,
            let policy = policyText.isEmpty ? known?.snapshot.policy : try? RoomPolicy(json: policyText)
        else { return nil }
        let revoked = parts[16].asArray.map { RevokedPasses($0.compactMap(\.asText)) }
        let snapshot = RoomSnapshot(
            name: name,
            policy: policy,
            policyHash: hash,
            version: version,
            phase: phase,
            override: override,
            pausedAt: pausedAt > 0 ? Moment(milliseconds: Int64(pausedAt)) : nil,
            generation: generation,
            epoch: epoch,
            cursor: cursor,
            lastNumber: number,
            calls: CallMarks(moves.compactMap(mark), forfeitedThrough: forfeited),
            turnedUp: Set(turned.compactMap(\.asUnsigned)),
            extended: extended(parts[29].asArray ?? []),
            extensionsUsed: extensionsUsed(parts[29].asArray ?? []),
            recovered: recovered(recoveredBytes, after: recoveredFrom > 0 ? known?.snapshot.recovered : nil),
            order: order,
            livePasses: live,
            rate: rate,
            revokedPasses: revoked?.ended ?? known?.snapshot.revokedPasses ?? [],
            passesGoodFrom: revoked?.goodFrom ?? known?.snapshot.passesGoodFrom ?? [:],
            outlook: outlook,
            dedupeKey: dedupeKey,
            asOf: Moment(milliseconds: Int64(now))
        )
        var room = KnownRoom(snapshot: snapshot, revocations: revocations, granted: granted)
        if let known { room.ranks = known.ranks }
        room.ranks.follow(snapshot)
        room.needsRestore = parts[34].asInteger != 1
        room.recoveredBytes = recoveredFrom + recoveredBytes.count
        return room
    }

    /// From the secret on, as the function lists it.
    private static func order(_ parts: ArraySlice<RedisValue>, known: OrderRecord?) -> OrderRecord? {
        let parts = Array(parts)
        guard let secret = parts[0].asText.flatMap(Hex.decode), let commitment = parts[1].asText.flatMap(Hex.decode),
            let rankedThrough = parts[2].asUnsigned, let cohort = parts[3].asInteger, let sealedAt = parts[4].asInteger,
            let draw = parts[5].asText, let rounds = parts[6].asText, let voids = parts[7].asText,
            let tiesFrom = parts[9].asInteger, let ties = parts[10].asBytes
        else { return nil }
        let old = known?.ties.prefix(tiesFrom / 16) ?? []
        return OrderRecord(
            secret: secret,
            commitment: commitment,
            rankedThrough: rankedThrough,
            cohort: UInt64(exactly: cohort),
            sealedAt: sealedAt > 0 ? Moment(milliseconds: Int64(sealedAt)) : nil,
            ties: old + pairs(ties).map { OrderRecord.Tie(first: $0, count: $1) },
            draw: draw.isEmpty ? known?.draw : draw,
            rounds: textPairs(rounds).map { OrderRecord.NamedRound(round: $0, at: Moment(milliseconds: Int64($1))) },
            voids: textPairs(voids).filter { $0 <= $1 }.map { $0...$1 }
        )
    }

    private static func extended(_ parts: [RedisValue]) -> [UInt64: Moment] {
        var extended: [UInt64: Moment] = [:]
        for index in stride(from: 0, to: parts.count - 1, by: 2) {
            guard let rank = parts[index].asUnsigned, let until = parts[index + 1].asText.flatMap(Double.init) else {
                continue
            }
            extended[rank] = Moment(milliseconds: Int64(until))
        }
        return extended
    }

    /// Kept in the 64ths of the millisecond.
    private static func extensionsUsed(_ parts: [RedisValue]) -> [UInt64: Int] {
        var used: [UInt64: Int] = [:]
        for index in stride(from: 0, to: parts.count - 1, by: 2) {
            guard let rank = parts[index].asUnsigned, let until = parts[index + 1].asText.flatMap(Double.init) else {
                continue
            }
            used[rank] = Int(((until - until.rounded(.down)) * 64).rounded())
        }
        return used
    }

    private static func recovered(_ bytes: [UInt8], after known: [UInt64: Int64]?) -> [UInt64: Int64] {
        var recovered = known ?? [:]
        for (number, from) in pairs(bytes) { recovered[number] = Int64(from) }
        return recovered
    }

    /// Two big-endian integers of 8 bytes each, again and again.
    private static func pairs(_ bytes: [UInt8]) -> [(UInt64, UInt64)] {
        func integer(_ start: Int) -> UInt64 { bytes[start..<(start + 8)].reduce(0) { $0 << 8 | UInt64($1) } }
        return stride(from: 0, through: bytes.count - 16, by: 16).map { (integer($0), integer($0 + 8)) }
    }

    /// `a:b a:b …`
    private static func textPairs(_ text: String) -> [(UInt64, UInt64)] {
        text.split(separator: " ").compactMap { pair in
            let parts = pair.split(separator: ":").compactMap { UInt64($0) }
            return parts.count == 2 ? (parts[0], parts[1]) : nil
        }
    }

    /// `upto:at:called:present`
    private static func mark(_ value: RedisValue) -> CallMarks.Mark? {
        guard let parts = value.asText?.split(separator: ":"), parts.count == 4, let upTo = UInt64(parts[0]),
            let at = Int64(parts[1])
        else { return nil }
        return CallMarks.Mark(upTo: upTo, at: Moment(milliseconds: at))
    }
}
