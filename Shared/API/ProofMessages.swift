// What the gateway says to prove the order of a waiting room. Hashes and signatures are hexadecimal, entries base64.

/// Answer of `GET /v1/rooms/{room}/log/proof`: the hashes beside the way from the entry to the root of `size` entries,
/// lowest first (RFC 6962 §2.1.1).
package struct InclusionReply: Codable, Sendable {
    package var index: Int
    package var size: Int
    /// 24 bytes: dedupe tag and arrival.
    package var entry: String
    package var path: [String]
    /// The signed note of that size; nil when a size was asked for.
    package var checkpoint: String?

    package init(index: Int, size: Int, entry: String, path: [String], checkpoint: String?) {
        self.index = index
        self.size = size
        self.entry = entry
        self.path = path
        self.checkpoint = checkpoint
    }
}

/// Answer of `GET /v1/rooms/{room}/log/consistency` (RFC 6962 §2.1.2).
package struct ConsistencyReply: Codable, Sendable {
    package var from: Int
    package var to: Int
    package var path: [String]

    package init(from: Int, to: Int, path: [String]) {
        self.from = from
        self.to = to
        self.path = path
    }
}

/// What a join promises: where the arrival stands in the log, and what stands there.
package struct Receipt: Codable, Sendable, Equatable {
    package var index: Int
    package var arrivedAtMS: Int64
    package var entry: String

    package init(index: Int, arrivedAtMS: Int64, entry: String) {
        self.index = index
        self.arrivedAtMS = arrivedAtMS
        self.entry = entry
    }

    private enum CodingKeys: String, CodingKey {
        case index, entry
        case arrivedAtMS = "arrived_at_ms"
    }
}

/// Answer of `GET /v1/rooms/{room}/draw`.
package struct DrawReply: Codable, Sendable {
    package struct Named: Codable, Sendable {
        package var round: UInt64
        /// When it was named.
        package var at: String
        /// When it comes.
        package var due: String

        package init(round: UInt64, at: String, due: String) {
            self.round = round
            self.at = at
            self.due = due
        }
    }

    package struct Beacon: Codable, Sendable {
        package var chain: String
        package var genesisTime: Int64
        package var periodS: Int64
        /// The round that the policy, and the seal once it is there, name by themselves.
        package var round: UInt64
        package var due: String
        /// Rounds named since, each because the one before could not be had, and the first again.
        package var named: [Named]

        package init(chain: String, genesisTime: Int64, periodS: Int64, round: UInt64, due: String, named: [Named]) {
            self.chain = chain
            self.genesisTime = genesisTime
            self.periodS = periodS
            self.round = round
            self.due = due
            self.named = named
        }

        private enum CodingKeys: String, CodingKey {
            case chain, round, due, named
            case genesisTime = "genesis_time"
            case periodS = "period_s"
        }
    }

    package struct Seal: Codable, Sendable {
        package var count: UInt64
        package var at: String?

        package init(count: UInt64, at: String?) {
            self.count = count
            self.at = at
        }
    }

    package var room: String
    package var generation: Int
    package var phase: String
    package var commitment: String
    /// `drand` or `commit_reveal`, the weaker.
    package var kind: String
    package var beacon: Beacon?
    package var seal: Seal?
    package var draw: DrawDocument?
    package var asOf: String

    package init(
        room: String,
        generation: Int,
        phase: String,
        commitment: String,
        kind: String,
        beacon: Beacon?,
        seal: Seal?,
        draw: DrawDocument?,
        asOf: String
    ) {
        self.room = room
        self.generation = generation
        self.phase = phase
        self.commitment = commitment
        self.kind = kind
        self.beacon = beacon
        self.seal = seal
        self.draw = draw
        self.asOf = asOf
    }

    private enum CodingKeys: String, CodingKey {
        case room, generation, phase, commitment, kind, beacon, seal, draw
        case asOf = "as_of"
    }
}

/// The record of a draw: everything that is needed to draw it again.
package struct DrawDocument: Codable, Sendable, Equatable {
    /// The algorithm, `usher/draw/v1`.
    package var version: String
    /// `drand` or `commit_reveal`.
    package var kind: String
    package var round: UInt64?
    package var chain: String?
    package var signature: String?
    /// Randomness of the round, or the room's secret.
    package var value: String
    /// Of the first `count` arrivals.
    package var root: String
    package var count: UInt64
    package var seed: String

    package init(version: String, kind: String, value: String, root: String, count: UInt64, seed: String) {
        self.version = version
        self.kind = kind
        self.value = value
        self.root = root
        self.count = count
        self.seed = seed
    }
}
