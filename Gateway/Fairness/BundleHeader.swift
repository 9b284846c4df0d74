// The first line of a bundle: what a room promised, decided and signed. docs/fairness.md states it member by member.

package struct BundleHeader: Codable, Sendable, Equatable {
    package static let format = "usher-bundle/1"

    package struct Keys: Codable, Sendable, Equatable {
        package var keys: [Key]
    }

    /// A public key as a JWK (RFC 8037); other members are not looked at.
    package struct Key: Codable, Sendable, Equatable {
        package var kty: String
        package var crv: String?
        package var x: String?
        package var kid: String?
    }

    package struct Order: Codable, Sendable, Equatable {
        package var method: String
        package var tieWindowMS: Int64?
        package var beacon: String?

        enum CodingKeys: String, CodingKey {
            case method, beacon
            case tieWindowMS = "tie_window_ms"
        }

        package init(method: String, tieWindowMS: Int64?, beacon: String? = nil) {
            self.method = method
            self.tieWindowMS = tieWindowMS
            self.beacon = beacon
        }

        package var tieMilliseconds: Int64 { tieWindowMS ?? 0 }
        package var isLottery: Bool { method == "lottery" }
        /// What a lottery is drawn with, by its name; drand when the policy does not say.
        var kind: DrawSeed.Kind? { DrawSeed.Kind(name: beacon ?? DrawSeed.Kind.drand.name) }
    }

    package struct Policy: Codable, Sendable, Equatable {
        package var version: Int
        package var hash: String
        package var at: Int64
        /// The policy's canonical JSON, as a text.
        package var document: String

        package init(version: Int, hash: String, at: Int64, document: String) {
            self.version = version
            self.hash = hash
            self.at = at
            self.document = document
        }
    }

    package struct Change: Codable, Sendable, Equatable {
        package var at: Int64
        package var kind: String
        package var detail: String

        package init(at: Int64, kind: String, detail: String) {
            self.at = at
            self.kind = kind
            self.detail = detail
        }
    }

    package struct Seal: Codable, Sendable, Equatable {
        package var count: UInt64
        package var at: Int64

        package init(count: UInt64, at: Int64) {
            self.count = count
            self.at = at
        }
    }

    package struct Named: Codable, Sendable, Equatable {
        package var round: UInt64
        package var at: Int64

        package init(round: UInt64, at: Int64) {
            self.round = round
            self.at = at
        }
    }

    package struct Draw: Codable, Sendable, Equatable {
        package var version: String
        package var kind: String
        package var round: UInt64?
        package var chain: String?
        package var signature: String?
        package var value: String
        package var root: String
        package var count: UInt64
        package var seed: String
        package var named: [Named]?
    }

    /// Where the room stands; told, not checked, so whatever is there is taken.
    package struct Stats: Codable, Sendable, Equatable {
        package var cursor: UInt64?
        package var granted: Int?
        package var livePasses: Int?

        enum CodingKeys: String, CodingKey {
            case cursor, granted
            case livePasses = "live_passes"
        }

        package init(cursor: UInt64, granted: Int, livePasses: Int) {
            self.cursor = cursor
            self.granted = granted
            self.livePasses = livePasses
        }
    }

    package struct Section: Codable, Sendable, Equatable {
        package var name: String
        package var bytes: Int

        package init(name: String, bytes: Int) {
            self.name = name
            self.bytes = bytes
        }
    }

    package var format: String
    package var room: String
    package var generation: Int
    package var origin: String?
    package var phase: String
    package var keys: Keys
    package var commitment: String
    package var secret: String?
    package var order: Order
    package var policies: [Policy]
    package var changes: [Change]?
    package var seal: Seal?
    package var draw: Draw?
    package var checkpoints: [String]
    package var stats: Stats?
    package var sections: [Section]

    package init(
        room: String,
        generation: Int,
        phase: String,
        keys: Keys,
        commitment: String,
        secret: String?,
        order: Order,
        policies: [Policy],
        checkpoints: [String],
        seal: Seal? = nil,
        draw: Draw? = nil
    ) {
        format = Self.format
        self.room = room
        self.generation = generation
        self.phase = phase
        self.keys = keys
        self.commitment = commitment
        self.secret = secret
        self.order = order
        self.policies = policies
        self.checkpoints = checkpoints
        self.seal = seal
        self.draw = draw
        sections = []
    }
}

extension DrawSeed.Kind {
    package var name: String {
        switch self {
        case .drand: "drand"
        case .commitReveal: "commit_reveal"
        }
    }

    package init?(name: String) {
        guard let kind = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = kind
    }
}
