// Asks drand relays for a round. What they say is believed when enough of them say the same, and checked as far as it can
// be without the pairing of BLS12-381, which the audit's second checker does.
import Foundation
package import Logging
package import Operations
package import OutwardCalls
import Signing
import Synchronization

/// Where rounds come from.
package protocol BeaconSource: Sendable {
    var chain: BeaconChain { get }
    func round(_ round: UInt64) async throws -> BeaconRound
}

package enum BeaconFailure: Error, Equatable, CustomStringConvertible {
    case noRelays
    /// Not enough relays gave a round that can be believed.
    case tooFew(good: Int, needed: Int)
    /// Relays gave different signatures, and no one of them was given most often.
    case disagreement

    package var description: String {
        switch self {
        case .noRelays: "no relay is configured"
        case .tooFew(let good, let needed): "\(good) relays gave the round, \(needed) are needed"
        case .disagreement: "relays gave different signatures for the round"
        }
    }
}

package final class BeaconClient: BeaconSource {
    package static let relaysMax = 8
    /// With two relays or more, so many must say the same.
    static let agreeingMin = 2

    /// What is wrong with a relay's answer.
    enum RelayFlaw: Error, Equatable {
        case unreachable
        case status(Int)
        case unreadable
        case wrongRound
        /// The randomness is not the hash of the signature.
        case wrongRandomness
        /// Its chain has another hash, or what it says of the chain does not have that hash.
        case wrongChain
    }

    private struct RelayState {
        var knowsChain = false
        var flaw: RelayFlaw?
    }

    package let chain: BeaconChain
    private let relays: [String]
    private let client: OutwardClient
    private let logger: Logger
    private let rounds: Counter
    private let failures: Counter
    private let flaws: Counter
    private let states = Mutex<[String: RelayState]>([:])

    /// A relay is a URL without a slash at its end.
    package init(
        relays: [String],
        chain: BeaconChain = .quicknet,
        client: OutwardClient,
        metrics: MetricsRegistry,
        logger: Logger
    ) {
        self.relays = Array(relays.prefix(Self.relaysMax))
        self.chain = chain
        self.client = client
        self.logger = logger
        rounds = metrics.counter("usher_gateway_beacon_rounds_total", "Rounds of the beacon that relays agreed on.")
        failures = metrics.counter("usher_gateway_beacon_failures_total", "Attempts to get a round that failed.")
        flaws = metrics.counter("usher_gateway_beacon_flaws_total", "Answers of relays that were not good.")
    }

    /// One attempt: every relay is asked once, at the same time.
    package func round(_ round: UInt64) async throws -> BeaconRound {
        guard !relays.isEmpty else { throw BeaconFailure.noRelays }
        let answers = await withTaskGroup(of: BeaconRound?.self) { tasks in
            for relay in relays { tasks.addTask { await self.ask(relay, for: round) } }
            return await tasks.reduce(into: []) { answers, answer in answers += answer.map { [$0] } ?? [] }
        }
        do {
            let agreed = try Self.agreed(answers, needed: min(Self.agreeingMin, relays.count))
            rounds.increment()
            return agreed
        } catch {
            failures.increment()
            if error == .disagreement {
                logger.error("relays disagree on a round of the beacon", metadata: ["round": "\(round)"])
            }
            throw error
        }
    }

    /// The answer most often given, if it was given often enough and no other as often.
    static func agreed(_ answers: [BeaconRound], needed: Int) throws(BeaconFailure) -> BeaconRound {
        let votes = Dictionary(answers.map { ($0, 1) }, uniquingKeysWith: +).sorted { $0.value > $1.value }
        guard let first = votes.first else { throw .tooFew(good: 0, needed: needed) }
        if votes.count > 1, votes[1].value == first.value { throw .disagreement }
        guard first.value >= needed else { throw .tooFew(good: first.value, needed: needed) }
        return first.key
    }

    // MARK: One relay

    private func ask(_ relay: String, for round: UInt64) async -> BeaconRound? {
        do {
            try await checkChain(of: relay)
            let answer = try Self.read(try await body("\(relay)/\(chain.hexHash)/public/\(round)"), round: round)
            note(nil, of: relay)
            return answer
        } catch {
            note(error as? RelayFlaw ?? .unreachable, of: relay)
            return nil
        }
    }

    private struct RoundReply: Decodable {
        var round: UInt64
        var randomness: String
        var signature: String
    }

    static func read(_ body: [UInt8], round: UInt64) throws(RelayFlaw) -> BeaconRound {
        guard let reply = try? JSONDecoder().decode(RoundReply.self, from: Foundation.Data(body)),
            let signature = Hex.decode(reply.signature), let randomness = Hex.decode(reply.randomness),
            let answer = BeaconRound(round: round, signature: signature)
        else { throw .unreadable }
        guard reply.round == round else { throw .wrongRound }
        guard answer.randomness == randomness else { throw .wrongRandomness }
        return answer
    }

    private struct ChainReply: Decodable {
        struct Metadata: Decodable {
            var beaconID: String
        }

        var publicKey: String
        var period: UInt32
        var genesisTime: Int64
        var hash: String
        var groupHash: String
        var metadata: Metadata?

        private enum CodingKeys: String, CodingKey {
            case period, hash, groupHash, metadata
            case publicKey = "public_key"
            case genesisTime = "genesis_time"
        }
    }

    /// Asked once of each relay: the hash binds key, genesis and period, so no relay can move the rounds in time.
    private func checkChain(of relay: String) async throws {
        guard states.withLock({ $0[relay]?.knowsChain ?? false }) == false else { return }
        let body = try await body("\(relay)/\(chain.hexHash)/info")
        guard let reply = try? JSONDecoder().decode(ChainReply.self, from: Foundation.Data(body)),
            let publicKey = Hex.decode(reply.publicKey), let groupHash = Hex.decode(reply.groupHash)
        else { throw RelayFlaw.unreadable }
        let hash = BeaconChain.hash(
            period: reply.period,
            genesis: reply.genesisTime,
            publicKey: publicKey,
            groupHash: groupHash,
            beaconID: reply.metadata?.beaconID ?? ""
        )
        guard hash == chain.hash, Hex.decode(reply.hash) == hash, reply.genesisTime == chain.genesisSeconds,
            Int64(reply.period) == chain.periodSeconds
        else { throw RelayFlaw.wrongChain }
        states.withLock { $0[relay, default: RelayState()].knowsChain = true }
    }

    private func body(_ url: String) async throws -> [UInt8] {
        let reply = try await client.get(url)
        guard reply.status == 200 else { throw RelayFlaw.status(reply.status) }
        return reply.body
    }

    /// Says it when a relay begins or ceases to be good, not at every attempt.
    private func note(_ flaw: RelayFlaw?, of relay: String) {
        if flaw != nil { flaws.increment() }
        let before = states.withLock { states in
            defer { states[relay, default: RelayState()].flaw = flaw }
            return states[relay]?.flaw
        }
        guard before != flaw else { return }
        if let flaw {
            logger.warning("relay of the beacon is no help", metadata: ["relay": "\(relay)", "flaw": "\(flaw)"])
        } else {
            logger.notice("relay of the beacon is good again", metadata: ["relay": "\(relay)"])
        }
    }
}
