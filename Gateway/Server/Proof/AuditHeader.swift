// The header of a bundle (`usher-bundle/1`) as JSON: what `usher audit` reads. Times are milliseconds since 1970.
import Fairness
import Foundation
import QueueTokens
import Queueing
import Signing
import UsherAPI

struct AuditHeader: Encodable {
    struct Order: Encodable {
        var method: String
        var tieWindowMS: Int
        var beacon: String?

        private enum CodingKeys: String, CodingKey {
            case method, beacon
            case tieWindowMS = "tie_window_ms"
        }
    }

    struct Policy: Encodable {
        var version: Int
        var hash: String
        var at: Int64
        /// The canonical bytes that are hashed.
        var document: String
    }

    struct Change: Encodable {
        var at: Int64
        var kind: String
        var detail: String
    }

    struct Seal: Encodable {
        var count: UInt64
        var at: Int64
    }

    struct Named: Encodable {
        var round: UInt64
        var at: Int64
    }

    struct Draw: Encodable {
        var version: String
        var kind: String
        var round: UInt64?
        var chain: String?
        var signature: String?
        var value: String
        var root: String
        var count: UInt64
        var seed: String
        var named: [Named]

        init(_ document: DrawDocument, named rounds: [OrderRecord.NamedRound]) {
            version = document.version
            kind = document.kind
            round = document.round
            chain = document.chain
            signature = document.signature
            value = document.value
            root = document.root
            count = document.count
            seed = document.seed
            named = rounds.map { Named(round: $0.round, at: $0.at.milliseconds) }
        }
    }

    struct Stats: Encodable {
        var cursor: UInt64
        var granted: Int
        var livePasses: Int

        private enum CodingKeys: String, CodingKey {
            case cursor, granted
            case livePasses = "live_passes"
        }
    }

    struct Section: Encodable {
        var name: String
        var bytes: Int
    }

    var format = "usher-bundle/1"
    var room: String
    var generation: Int
    var origin: String
    var phase: String
    var keys: JWKSText
    var commitment: String
    var secret: String?
    var order: Order
    var policies: [Policy]
    var changes: [Change]
    var seal: Seal?
    var draw: Draw?
    var checkpoints: [String]
    var stats: Stats
    var sections: [Section]

    init(
        _ known: KnownRoom,
        lengths: [RoomStore.Record: Int],
        changes: [RoomStore.RecordedChange],
        checkpoints: [SignedCheckpoint],
        keys: KeySet
    ) {
        let snapshot = known.snapshot
        room = snapshot.name.text
        generation = snapshot.generation
        origin = Checkpoint.origin(room: snapshot.name.text, generation: snapshot.generation)
        phase = snapshot.phase.rawValue
        self.keys = JWKSText(JWKS.encode(keys))
        commitment = Hex.encode(snapshot.order.commitment)
        secret = snapshot.revealedSecret.map { Hex.encode($0) }
        order = Order(
            method: snapshot.policy.order.rawValue,
            tieWindowMS: snapshot.policy.tieWindowMS,
            beacon: snapshot.policy.beacon?.rawValue
        )
        policies = changes.compactMap(Self.policy)
        self.changes = changes.filter { $0.kind != "policy" }
            .map { Change(at: $0.at.milliseconds, kind: $0.kind, detail: $0.detail) }
        if let cohort = snapshot.order.cohort, let at = snapshot.order.sealedAt {
            seal = Seal(count: cohort, at: at.milliseconds)
        }
        draw = snapshot.order.draw.flatMap { DrawDocument($0) }.map { Draw($0, named: snapshot.order.rounds) }
        self.checkpoints = checkpoints.map(\.note)
        stats = Stats(cursor: snapshot.cursor, granted: known.granted, livePasses: snapshot.livePasses)
        sections = RoomStore.Record.allCases.map { Section(name: $0.rawValue, bytes: lengths[$0] ?? 0) }
    }

    private static func policy(_ change: RoomStore.RecordedChange) -> Policy? {
        guard change.kind == "policy", let version = change.more["version"].flatMap({ Int($0) }),
            let hash = change.more["hash"], let document = change.more["document"]
        else { return nil }
        return Policy(version: version, hash: hash, at: change.at.milliseconds, document: document)
    }
}

/// A key set that is JSON already.
struct JWKSText: Encodable {
    private let keys: [[String: String]]

    private enum CodingKeys: String, CodingKey {
        case keys
    }

    init(_ json: [UInt8]) {
        keys =
            (try? JSONDecoder().decode([String: [[String: String]]].self, from: Foundation.Data(json)))?["keys"] ?? []
    }
}
