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
    }

    package struct Change: Codable, Sendable, Equatable {
        package var at: Int64
        package var kind: String
        package var detail: String
    }

    package struct Seal: Codable, Sendable, Equatable {
        package var count: UInt64
        package var at: Int64
    }

    package struct Named: Codable, Sendable, Equatable {
        package var round: UInt64
        package var at: Int64
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

    package struct Section: Codable, Sendable, Equatable {
        package var name: String
        package var bytes: Int
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
    package var sections: [Section]

    package init(
        room: String,
        generation: Int,
        phase: String,
        keys: [Key],
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
        self.keys = Keys(keys: keys)
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
