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
    /// The store does not have it any more; this is what was known last.
    package var isForgotten = false

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
        let known = known?.isForgotten == true ? nil : known
        return ["FCALL", .text(RoomFunctions.snapshot.name), .integer(keys.count)] + keys
            + [.integer(known?.snapshot.version ?? 0), .integer(known?.revocations ?? -1)]
    }

    /// Nil when there is no such room, or its document cannot be read by this version.
    static func read(_ reply: RedisValue, name: RoomName, known: KnownRoom?) -> KnownRoom? {
        guard let parts = reply.asArray, parts.count == 21, let now = parts[0].asInteger,
            let version = parts[1].asInteger, let policyText = parts[2].asBytes, let hash = parts[3].asText,
            let phase = parts[4].asText.flatMap(Phase.init(rawValue:)),
            let override = parts[5].asText.flatMap({ Override(text: $0) }), let generation = parts[6].asInteger,
            let epoch = parts[7].asInteger, let cursor = parts[8].asUnsigned, let number = parts[9].asUnsigned,
            let forfeited = parts[10].asUnsigned, let rate = parts[11].asText.flatMap(Double.init),
            let outlook = parts[12].asText.flatMap(RoomSnapshot.Outlook.init(rawValue:)),
            let dedupeKey = parts[13].asText.flatMap(Hex.decode), let live = parts[14].asInteger,
            let revocations = parts[15].asInteger, let moves = parts[17].asArray, let turned = parts[18].asArray,
            let granted = parts[19].asInteger, let pausedAt = parts[20].asInteger,
            let policy = policyText.isEmpty ? known?.snapshot.policy : try? RoomPolicy(json: policyText)
        else { return nil }
        let revoked = parts[16].asArray.map { Set($0.compactMap(\.asText)) } ?? known?.snapshot.revokedPasses ?? []
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
            livePasses: live,
            ratePerMinute: rate,
            revokedPasses: revoked,
            outlook: outlook,
            dedupeKey: dedupeKey,
            asOf: Moment(milliseconds: Int64(now))
        )
        return KnownRoom(snapshot: snapshot, revocations: revocations, granted: granted)
    }

    /// `upto:at:called:present`
    private static func mark(_ value: RedisValue) -> CallMarks.Mark? {
        guard let parts = value.asText?.split(separator: ":"), parts.count == 4, let upTo = UInt64(parts[0]),
            let at = Int64(parts[1])
        else { return nil }
        return CallMarks.Mark(upTo: upTo, at: Moment(milliseconds: at))
    }
}
