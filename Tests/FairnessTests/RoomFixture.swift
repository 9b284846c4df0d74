// Rooms that kept every promise, small enough to read; tests bend one thing and see who notices.
@testable import Fairness
import Foundation
import Signing

struct RoomFixture {
    enum Kind: String, CaseIterable {
        case strict, ties, lottery, commitReveal
    }

    /// drand quicknet, as published: signatures of rounds 1000 to 1002.
    static let signatures: [UInt64: String] = [
        1000: "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39",
        1001: "b33bf3667cbd5a82de3a24b4e0e9fe5513cc1a0e840368c6e31f5fcfa79bea03f73896b25883abf2853d10337fb8fa41",
        1002: "ab066f9c12dd6de1336fca0f925192fb0c72a771c3e4c82ede1fd362c1a770f9eb05843c6308ce2530b53a99c0281a6e",
    ]
    static let tieMilliseconds: Int64 = 10
    static let cohort = 240
    static let arrivals = 300

    let kind: Kind
    let room = "arena"
    var secret = [UInt8](repeating: 42, count: 32)
    var entries: [ArrivalEntry]
    var round: UInt64 = 1000
    var opens = Quicknet.milliseconds(of: 1000) - 6000
    var sealedAt = Quicknet.milliseconds(of: 1000) - 6000
    var cohort = Self.cohort
    var checkpointSizes = [1, 100, 240, 256, 257, 300]
    var documents: [String] = []
    var moveStart = Quicknet.milliseconds(of: 1000) + 1000
    /// Changes the draw before its seed is computed.
    var changeDraw: (inout BundleHeader.Draw) -> Void = { _ in }
    var tiesListed: ([TiedNumbers]) -> [TiedNumbers] = { $0 }

    init(_ kind: Kind) throws {
        self.kind = kind
        let start = opens - 100_000
        let opens = opens
        entries = (0..<Self.arrivals).map { index in
            let at = index < Self.cohort ? start + Int64(index) * 3 : opens + 20 + Int64(index)
            return Self.entry(of: index, at: at)
        }
        documents = [document()]
    }

    static func entry(of visitor: Int, at milliseconds: Int64) -> ArrivalEntry {
        let tag = Array(SHA256.digest(Array("visitor \(visitor)".utf8)).prefix(16))
        return ArrivalEntry(dedupeTag: tag, milliseconds: milliseconds) ?? .void
    }

    static func key(_ byte: UInt8 = 1) throws -> Ed25519.PrivateKey {
        try Ed25519.PrivateKey(seed: [UInt8](repeating: byte, count: 32))
    }

    var order: BundleHeader.Order {
        switch kind {
        case .strict: BundleHeader.Order(method: "first_come", tieWindowMS: 0)
        case .ties: BundleHeader.Order(method: "first_come", tieWindowMS: Self.tieMilliseconds)
        case .lottery: BundleHeader.Order(method: "lottery", tieWindowMS: 0, beacon: "drand")
        case .commitReveal: BundleHeader.Order(method: "lottery", tieWindowMS: 0, beacon: "commit_reveal")
        }
    }

    func document(method: String? = nil) -> String {
        let beacon = order.beacon.map { #""\#($0)""# } ?? "null"
        return #"{"claim":{"grace_seconds":300,"window_seconds":120},"order":{"beacon":\#(beacon),"#
            + #""method":"\#(method ?? order.method)","tie_window_ms":\#(order.tieMilliseconds)},"#
            + #""schedule":{"sale_opens_at":"\#(Self.rfc3339(opens))"}}"#
    }

    private static func rfc3339(_ milliseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(milliseconds) / 1000)
            .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    static func hash(_ document: String) -> String { Base64URL.encode(SHA256.digest(Array(document.utf8))) }

    func root(at size: Int) -> Digest {
        var tree = MerkleTree()
        tree.append(entries: entries.prefix(size).flatMap(\.bytes))
        return tree.root
    }

    func note(size: Int, root: Digest? = nil, at: Int64? = nil, key: UInt8 = 1) throws -> String {
        Checkpoint(
            room: room,
            generation: 1,
            size: size,
            root: root ?? self.root(at: size),
            milliseconds: at ?? entries.prefix(size).map(\.milliseconds).max() ?? 0
        ).signed(by: try Self.key(key)).note
    }

    var tied: [TiedNumbers] {
        var runs: [TiedNumbers] = []
        var window: Int64?
        for (index, entry) in entries.enumerated() {
            let its = entry.milliseconds / Self.tieMilliseconds
            if its == window {
                runs[runs.count - 1].count += 1
            } else {
                runs.append(TiedNumbers(first: UInt64(index) + 1, count: 1))
            }
            window = its
        }
        return runs.filter { $0.count > 1 }
    }

    private func draw() -> BundleHeader.Draw? {
        guard kind == .lottery || kind == .commitReveal else { return nil }
        let signature = kind == .lottery ? Self.signatures[round] : nil
        let value = signature.flatMap(Hex.decode).map { SHA256.digest($0) } ?? secret
        var draw = BundleHeader.Draw(
            version: DrawSeed.version,
            kind: order.beacon ?? "",
            round: kind == .lottery ? round : nil,
            chain: kind == .lottery ? Quicknet.chain : nil,
            signature: signature,
            value: Hex.encode(value),
            root: root(at: cohort).hex,
            count: UInt64(cohort),
            seed: "",
            named: []
        )
        changeDraw(&draw)
        draw.seed =
            DrawSeed.of(
                room: room,
                generation: 1,
                root: root(at: cohort),
                count: UInt64(cohort),
                kind: kind == .lottery ? .drand : .commitReveal,
                value: Hex.decode(draw.value) ?? []
            ).hex
        return draw
    }

    private func table(_ draw: BundleHeader.Draw?) -> RankTable {
        var table = RankTable()
        if let draw, let seed = Hex.decode(draw.seed).flatMap({ Digest($0) }) {
            table.append(RankBlock(first: 1, count: draw.count, seed: seed))
        }
        guard kind == .ties else { return table }
        for tie in tied {
            let seed = TieBreak.seed(secret: secret, room: room, first: tie.first, count: tie.count)
            table.append(RankBlock(first: tie.first, count: tie.count, seed: seed))
        }
        return table
    }

    func bundle() throws -> RoomBundle {
        let draw = draw()
        let table = table(draw)
        var moves: [CursorMove] = []
        var claims: [GrantedClaim] = []
        for (index, cursor) in stride(from: UInt64(20), through: 280, by: 20).enumerated() {
            let at = moveStart + Int64(index) * 1000
            moves.append(CursorMove(cursor: cursor, milliseconds: at))
            for rank in (cursor - 19)...cursor where rank % 5 != 0 {
                claims.append(GrantedClaim(number: table.number(of: rank) ?? 0, milliseconds: at + 400))
            }
        }
        let policies = documents.enumerated().map { index, document in
            let at = opens - 200_000 + Int64(index) * 150_000
            return BundleHeader.Policy(version: index + 1, hash: Self.hash(document), at: at, document: document)
        }
        var bundle = RoomBundle(
            header: BundleHeader(
                room: room,
                generation: 1,
                phase: kind == .ties ? "closed" : "active",
                keys: BundleHeader.Keys(keys: [
                    BundleHeader.Key(
                        kty: "OKP",
                        crv: "Ed25519",
                        x: Base64URL.encode(try Self.key().publicKey.bytes),
                        kid: "log"
                    )
                ]),
                commitment: Commitment.of(room: room, generation: 1, secret: secret).hex,
                secret: kind == .ties || kind == .commitReveal ? Hex.encode(secret) : nil,
                order: order,
                policies: policies,
                checkpoints: try checkpointSizes.map { try note(size: $0) },
                seal: draw.map { _ in BundleHeader.Seal(count: UInt64(cohort), at: sealedAt) },
                draw: draw
            ),
            sections: [:]
        )
        bundle.setEntries(entries)
        bundle.set(ties: kind == .ties ? tiesListed(tied) : [], moves: moves, claims: claims)
        return bundle
    }
}
