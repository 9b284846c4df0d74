import Logging
import NIOCore
import Operations
import OutwardCalls
import Queueing
import Signing
import TestSupport
import Testing

@testable import GatewayServer

struct BeaconTests {
    private static func ask(_ manners: [DrandRelay.Manner], round: UInt64 = 1000) async throws -> Result<
        BeaconRound, BeaconFailure
    > {
        var relays: [DrandRelay] = []
        for manner in manners { relays.append(try await DrandRelay.start(manner)) }
        let outward = OutwardClient(group: MultiThreadedLoops.group, deadline: .milliseconds(700))
        let client = BeaconClient(
            relays: relays.map(\.url),
            client: outward,
            metrics: MetricsRegistry(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let result: Result<BeaconRound, BeaconFailure>
        do {
            result = .success(try await client.round(round))
        } catch let failure as BeaconFailure {
            result = .failure(failure)
        }
        try await outward.shutDown()
        for relay in relays { try await relay.stop() }
        return result
    }

    @Test(arguments: DrandRelay.published.keys.sorted())
    func `a published round of quicknet is read and its randomness is the hash of its signature`(
        _ round: UInt64
    ) async throws {
        let known = try #require(DrandRelay.published[round])
        let value = try await Self.ask([.honest, .honest], round: round).get()
        #expect(value.round == round)
        #expect(Hex.encode(value.signature) == known.signature)
        #expect(Hex.encode(value.randomness) == known.randomness)
    }

    @Test(
        arguments: [
            ([.honest], nil), ([.honest, .honest, .late], nil), ([.honest, .honest, .forging], nil),
            ([.honest, .honest, .silent], nil), ([.honest, .honest, .junk, .lying, .behind, .otherChain], nil),
            ([], .noRelays), ([.late], .tooFew(good: 0, needed: 1)), ([.honest, .late], .tooFew(good: 1, needed: 2)),
            ([.honest, .lying], .tooFew(good: 1, needed: 2)), ([.honest, .otherChain], .tooFew(good: 1, needed: 2)),
            ([.honest, .silent], .tooFew(good: 1, needed: 2)), ([.honest, .forging], .disagreement),
            ([.honest, .honest, .forging, .forging], .disagreement), ([.lying], .tooFew(good: 0, needed: 1)),
            ([.behind], .tooFew(good: 0, needed: 1)), ([.otherChain], .tooFew(good: 0, needed: 1)),
            ([.junk], .tooFew(good: 0, needed: 1)),
        ] as [([DrandRelay.Manner], BeaconFailure?)]
    )
    func `a round is believed when enough relays say the same and what they say fits`(
        _ manners: [DrandRelay.Manner],
        _ failure: BeaconFailure?
    ) async throws {
        let result = try await Self.ask(manners)
        switch result {
        case .success(let value):
            #expect(failure == nil)
            #expect(value.signature == DrandRelay.signature(of: 1000))
        case .failure(let got): #expect(got == failure)
        }
    }

    @Test func `the chain's hash binds its times and its key`() throws {
        let key = try #require(Hex.decode(DrandRelay.publicKey))
        let group = try #require(Hex.decode(DrandRelay.groupHash))
        func hash(period: UInt32 = 3, genesis: Int64 = 1_692_803_367, beaconID: String = "quicknet") -> [UInt8] {
            BeaconChain.hash(period: period, genesis: genesis, publicKey: key, groupHash: group, beaconID: beaconID)
        }
        #expect(hash() == BeaconChain.quicknet.hash)
        #expect(hash(period: 30) != BeaconChain.quicknet.hash)
        #expect(hash(genesis: 1_692_803_368) != BeaconChain.quicknet.hash)
        #expect(hash(beaconID: "default") != BeaconChain.quicknet.hash)
    }

    // MARK: Which round

    private static let chain = BeaconChain(hash: [1], genesisSeconds: 1000, periodSeconds: 3)

    @Test(arguments: [(999, 1), (1000, 1), (1001, 2), (1003, 2), (1004, 3), (4000, 1001)] as [(Int64, UInt64)])
    func `the first round from a moment on is not before it`(_ seconds: Int64, _ round: UInt64) {
        #expect(Self.chain.firstRound(from: Moment(seconds: seconds)) == round)
        #expect(Self.chain.moment(of: round) >= Moment(seconds: seconds))
    }

    @Test(
        arguments: [
            // Sealed in time: two periods after the opening. Round 1003 comes at 4006.
            (4000, nil, 1003), (4000, 3000, 1003), (4000, 4000, 1003), (4000, 4003, 1003),
            // Less than a period before it: two periods after the seal.
            (4000, 4004, 1005), (4000, 9000, 2670),
        ] as [(Int64, Int64?, UInt64)]
    )
    func `the policy and the seal name the round`(_ opens: Int64, _ sealed: Int64?, _ round: UInt64) {
        let named = DrawRound.first(
            chain: Self.chain,
            saleOpensAt: Moment(seconds: opens),
            sealedAt: sealed.map { Moment(seconds: $0) }
        )
        #expect(named == round)
    }

    @Test func `a later round counts only when it was named before its time`() {
        func named(_ round: UInt64, at seconds: Int64) -> OrderRecord.NamedRound {
            .init(round: round, at: Moment(seconds: seconds))
        }
        func current(_ rounds: [OrderRecord.NamedRound]) -> UInt64 {
            DrawRound.current(first: 1003, named: rounds, chain: Self.chain)
        }
        #expect(current([]) == 1003)
        #expect(current([named(1003, at: 4000)]) == 1003)
        // Round 1023 comes at 4066.
        #expect(current([named(1003, at: 4000), named(1023, at: 4040)]) == 1023)
        #expect(current([named(1023, at: 4066)]) == 1003)
        #expect(current([named(1023, at: 4040), named(1010, at: 4041)]) == 1023)
    }

    @Test(arguments: [(4040, 1023), (4062, 1023), (4063, 1043), (4123, 1063), (5000, 1343)] as [(Int64, UInt64)])
    func `the next round is a twentieth one that is still to come`(_ now: Int64, _ round: UInt64) {
        let next = DrawRound.next(after: 1003, chain: Self.chain, at: Moment(seconds: now))
        #expect(next == round)
        #expect((next - 1003) % DrawRound.step == 0)
        #expect(Self.chain.moment(of: next) > Moment(seconds: now + 3))
    }

    @Test(
        arguments: [
            ("http://a:1,https://b", ["http://a:1", "https://b"]), ("http://a/", ["http://a"]), ("", []),
            ("ftp://a", nil), ("http://a?x=1", nil), ("http://a,http://a", nil), ("a", nil), ("http://u@a", nil),
        ] as [(String, [String]?)]
    )
    func `relays are URLs`(_ text: String, _ relays: [String]?) throws {
        let settings = try Settings.read(
            section: "gateway",
            keys: GatewayConfiguration.keys,
            arguments: ["--beacon-relays", text],
            environment: [:]
        )
        let read = try? BeaconSettings.relays(settings)
        #expect(read == relays)
    }
}
