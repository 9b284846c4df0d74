// The rule of calling and claiming is there twice: in `rooms.lua`, where it decides, and as `CallLedger`, which is what
// the simulator runs. Both get the same random cases here, with the clock of the functions in a key.
import Queueing
import Redis
import TestSupport
import Testing

@testable import GatewayServer

/// The library of rooms with a clock that a test sets, in milliseconds.
private struct ClockedRooms {
    static let clock: RedisArgument = "test:clock"
    static let startMS: Int64 = 2_000_000_000_000

    let redis: RedisClient
    let library: RedisFunctionLibrary
    let keys: RoomKeys

    init(_ node: GatewayNode) throws {
        let text = String(
            decoding: PackageResources.rooms_lua + PackageResources.rooms_order_lua,
            as: UTF8.self
        )
        let real = "local t = redis.call('TIME')\n    return tonumber(t[1]) * 1000000 + tonumber(t[2])"
        let replaced = text.replacing(real, with: "return tonumber(redis.call('GET', 'test:clock')) * 1000")
        try #require(replaced != text)
        library = RedisFunctionLibrary(name: "clockedrooms", source: replaced)
        redis = node.redis
        keys = RoomKeys(try #require(RoomName("sale")))
    }

    func call(_ name: String, _ keys: [RedisArgument], _ arguments: [RedisArgument]) async throws -> [RedisValue] {
        try await redis.call(library.function(name), keys: keys, arguments: arguments).asArray ?? []
    }

    func set(_ now: Moment) async throws {
        _ = try await redis.call(["SET", Self.clock, .integer(Int(now.milliseconds))])
    }

    /// Undecided, decided calls, decided claims, granted.
    func lead() async throws -> [Int] {
        let reply = try await call("lead", keys.forLead, ["test", "1000000000"])
        try #require(reply.count == 12)
        return [7, 8, 9, 11].compactMap { reply[$0].asInteger }
    }

    func advance(to cursor: UInt64, present: [UInt64]) async throws {
        _ = try await redis.call(["DEL", "{r:sale}:presence"])
        for rank in present { _ = try await redis.call(["ZADD", "{r:sale}:presence", "1", .text(String(rank))]) }
        _ = try await call("advance", keys.forAdvance, ["test", "1", .text(String(cursor)), "60", "open"])
    }

    func claim(_ number: UInt64) async throws -> CallLedger.Answer? {
        let reply = try await call("claim", keys.forClaim, [.text(String(number)), .text("p\(number)")])
        switch reply.first?.asInteger {
        case 1: return .granted(isNew: reply[4].asInteger == 1)
        case 2:
            let reason = reply[1].asText.flatMap { CallLedger.Reason(rawValue: $0) }
            return reason.map { .notNow($0, milliseconds: Int64(reply[2].asInteger ?? 0)) }
        case 3: return reply[1].asText.flatMap { CallLedger.Refusal(rawValue: $0) }.map { .never($0) }
        default: return nil
        }
    }
}

/// The same room as a value.
private struct PureRoom {
    let policy: RoomPolicy
    var ledger = CallLedger()
    var pace = GrantPace()
    var expiry: [UInt64: Int64] = [:]

    mutating func claim(_ number: UInt64, at now: Moment, stands: Bool) -> CallLedger.Answer {
        let live = expiry.values.count { $0 > now.milliseconds }
        let held: CallLedger.Held = expiry[number].map { $0 > now.milliseconds ? .live : .ended } ?? .nothing
        let answer = ledger.claim(
            number,
            in: .init(phase: .active, isStanding: stands, admission: policy.admission, window: policy.claim),
            holding: held,
            livePasses: live,
            pace: &pace,
            atMicroseconds: now.milliseconds * 1000
        )
        if answer == .granted(isNew: true) {
            let end = now.milliseconds + Int64(policy.passIdleSeconds) * 1000
            expiry[number] = (end + 999) / 1000 * 1000
        }
        return answer
    }
}

private struct Schedule {
    private var state: UInt64

    init(_ seed: UInt64) {
        state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
    }

    mutating func below(_ bound: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state >> 11) % bound
    }
}

struct CallLedgerTests {
    @Test(arguments: [UInt64(1), 2, 3, 4, 5, 6])
    func `the pure rule and the Redis function decide the same cases alike`(seed: UInt64) async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                var dice = Schedule(seed)
                let policy = try GatewayNode.policy(
                    perMinute: [60, 600, 6000][dice.below(3)],
                    activeMax: 2 + dice.below(8),
                    burst: 1 + dice.below(5),
                    window: 3 + dice.below(10),
                    grace: dice.below(20),
                    idle: 2 + dice.below(10),
                    lifetime: 60
                )
                try await node.open(policy)
                let redis = try ClockedRooms(node)
                let last: UInt64 = 500
                _ = try await node.redis.call(["HSET", "{r:sale}:meta", "number", "500"])
                var pure = PureRoom(policy: policy)
                var now = Moment(milliseconds: ClockedRooms.startMS)
                var standsSince: Moment?
                for step in 0..<250 {
                    now = now + .milliseconds(Int64(dice.below(step % 20 == 0 ? 8000 : 1200)))
                    try await redis.set(now)
                    if dice.below(25) == 0 {
                        if let since = standsSince { pure.ledger.goOn(policy.claim, stoodSince: since, at: now) }
                        standsSince = standsSince == nil ? now : nil
                        let override: RedisArgument = standsSince == nil ? "none" : "paused"
                        _ = try await redis.redis.call(
                            redis.library.function("set_override"),
                            keys: redis.keys.forOverride,
                            arguments: [override]
                        )
                    }
                    if standsSince == nil {
                        let tally = pure.ledger.settle(policy.claim, at: now)
                        let counted = try await redis.lead()
                        #expect(
                            counted == [
                                tally.undecided, tally.decidedCalls, tally.decidedClaims, pure.expiry.count,
                            ],
                            "step \(step)"
                        )
                        let wanted = min(last, pure.ledger.cursor + UInt64(dice.below(6)))
                        let passed = Array(stride(from: pure.ledger.cursor + 1, through: wanted, by: 1))
                        let present = passed.filter { _ in dice.below(2) == 0 }
                        try await redis.advance(to: wanted, present: present)
                        pure.ledger.advance(to: wanted, last: last, present: present.count, at: now)
                    }
                    for _ in 0..<dice.below(8) {
                        let behind = UInt64(dice.below(60))
                        let number = max(1, pure.ledger.cursor + 3 - min(pure.ledger.cursor + 2, behind))
                        let expected = pure.claim(number, at: now, stands: standsSince != nil)
                        let answer = try await redis.claim(number)
                        #expect(answer == expected, "step \(step), number \(number)")
                    }
                }
                let meta = try await node.redis.call(["HGETALL", "{r:sale}:meta"]).asDictionary ?? [:]
                let kept = ["cursor", "decided_through", "forfeited_through"].map { meta[$0]?.asText ?? "" }
                let ledger = pure.ledger
                #expect(kept == [ledger.cursor, ledger.decidedThrough, ledger.forfeitedThrough].map(String.init))
                #expect(pure.expiry.count > 20 && ledger.cursor > 100)
            }
        }
    }
}
