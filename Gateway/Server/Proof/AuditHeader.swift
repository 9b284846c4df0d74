// The first line of a bundle, from what the room shows: what `usher audit` reads. Times are milliseconds since 1970.
import Fairness
import Foundation
import QueueTokens
import Queueing
import Signing

extension BundleHeader {
    init(
        _ known: KnownRoom,
        lengths: [RoomStore.Record: Int],
        changes: [RoomStore.RecordedChange],
        checkpoints: [SignedCheckpoint],
        keys: KeySet
    ) throws {
        let snapshot = known.snapshot
        self.init(
            room: snapshot.name.text,
            generation: snapshot.generation,
            phase: snapshot.phase.rawValue,
            keys: try JSONDecoder().decode(Keys.self, from: Foundation.Data(JWKS.encode(keys))),
            commitment: Hex.encode(snapshot.order.commitment),
            secret: snapshot.revealedSecret.map { Hex.encode($0) },
            order: Order(
                method: snapshot.policy.order.rawValue,
                tieWindowMS: Int64(snapshot.policy.tieWindowMS),
                beacon: snapshot.policy.beacon?.rawValue
            ),
            policies: changes.compactMap { Policy($0) },
            checkpoints: checkpoints.map(\.note),
            seal: Seal(snapshot.order),
            draw: try Draw(snapshot.order)
        )
        origin = Checkpoint.origin(room: snapshot.name.text, generation: snapshot.generation)
        self.changes = changes.filter { $0.kind != "policy" }
            .map { Change(at: $0.at.milliseconds, kind: $0.kind, detail: $0.detail) }
        stats = Stats(cursor: snapshot.cursor, granted: known.granted, livePasses: snapshot.livePasses)
        sections = RoomStore.Record.allCases.map { Section(name: $0.rawValue, bytes: lengths[$0] ?? 0) }
    }
}

extension BundleHeader.Policy {
    /// Nil for a change of something else.
    fileprivate init?(_ change: RoomStore.RecordedChange) {
        guard change.kind == "policy", let version = change.more["version"].flatMap({ Int($0) }),
            let hash = change.more["hash"], let document = change.more["document"]
        else { return nil }
        self.init(version: version, hash: hash, at: change.at.milliseconds, document: document)
    }
}

extension BundleHeader.Seal {
    fileprivate init?(_ order: OrderRecord) {
        guard let cohort = order.cohort, let at = order.sealedAt else { return nil }
        self.init(count: cohort, at: at.milliseconds)
    }
}

extension BundleHeader.Draw {
    fileprivate init?(_ order: OrderRecord) throws {
        guard let document = order.draw else { return nil }
        self = try JSONDecoder().decode(Self.self, from: Foundation.Data(document.utf8))
        named = order.rounds.map { .init(round: $0.round, at: $0.at.milliseconds) }
    }
}
