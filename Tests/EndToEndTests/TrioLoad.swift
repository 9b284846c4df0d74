import Foundation
import Synchronization

/// What visitors of three gateways saw, in the order in which they saw it.
final class TrioRecord: Sendable {
    struct Join: Sendable {
        var visitor: Int
        var sentAt: Date
        var answeredAt: Date
        var number: Int
        var isNew: Bool
        /// Counts how often the visitor had given a place up before.
        var life: Int
    }

    struct Pass: Sendable {
        var number: Int
        var id: String
    }

    struct Facts: Sendable {
        var joins: [Join] = []
        var passes: [Pass] = []
        var left: Set<Int> = []
        /// Tokens by number.
        var tokens: [Int: String] = [:]
        var visitors: [Int: Int] = [:]
        var polls: [Int: Int] = [:]
        var refusals: [Int: Int] = [:]
        /// Of each gateway, in the order of time.
        var samples: [[TrioEvidence.Sample]] = [[], [], []]
    }

    private let facts = Mutex(Facts())

    var all: Facts { facts.withLock { $0 } }

    func note(_ change: (inout Facts) -> Void) { facts.withLock { change(&$0) } }
}

/// Visitors who join, join again, poll, claim, leave and come back at any gateway, by the dice of their own seed.
struct TrioLoad: Sendable {
    let trio: Trio
    let record: TrioRecord
    let seed: UInt64
    /// Visitors come within this time.
    let arriveWithin: Duration
    static let claimLimit = Duration.seconds(20)

    func run(_ visitors: Range<Int>) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for visitor in visitors { tasks.addTask { try await visit(visitor) } }
            try await tasks.waitForAll()
        }
    }

    private func visit(_ visitor: Int) async throws {
        var dice = SplitMix(seed &+ UInt64(visitor) &* 0x9e37_79b9)
        try await Task.sleep(for: arriveWithin / 1000 * dice.below(1000))
        var life = 0
        while true {
            let (number, token) = try await joinSomehow(visitor, life, &dice)
            for _ in 0..<dice.below(3) { try await poll(visitor, number, token, &dice) }
            guard dice.below(100) < 12, life < 2 else {
                return try await claim(visitor, number, token, &dice)
            }
            let left = try await trio.send("leave", visitor, place: token, at: dice.below(3))
            guard left.status < 300 else { return record.note { $0.refusals[left.status, default: 0] += 1 } }
            record.note { $0.left.insert(number) }
            guard dice.below(2) == 0 else { return }
            life += 1
        }
    }

    /// Once, twice at one gateway, or at all three at once.
    private func joinSomehow(_ visitor: Int, _ life: Int, _ dice: inout SplitMix) async throws -> (Int, String) {
        let gateways = [[dice.below(3)], [dice.below(3), dice.below(3)], [0, 1, 2]][dice.below(3)]
        let replies = try await withThrowingTaskGroup(of: (Int, String).self) { tasks in
            for gateway in gateways { tasks.addTask { try await join(visitor, life, at: gateway) } }
            return try await tasks.reduce(into: []) { $0.append($1) }
        }
        guard let first = replies.first else { throw StackFault("nobody joined") }
        record.note { facts in
            for (number, token) in replies {
                facts.tokens[number] = token
                facts.visitors[number] = visitor
            }
        }
        return first
    }

    private func join(_ visitor: Int, _ life: Int, at gateway: Int) async throws -> (Int, String) {
        let sent = Date.now
        let reply = try await trio.join(visitor, at: gateway)
        guard let token = reply.text("token"), let number = reply.number("place.number") else {
            throw StackFault("join of \(visitor) at gateway \(gateway): \(reply.status) \(reply.json)")
        }
        let join = TrioRecord.Join(
            visitor: visitor,
            sentAt: sent,
            answeredAt: .now,
            number: number,
            isNew: reply.status == 201,
            life: life
        )
        record.note { $0.joins.append(join) }
        return (number, token)
    }

    private func poll(_ visitor: Int, _ number: Int, _ token: String, _ dice: inout SplitMix) async throws {
        let reply = try await trio.send("place", visitor, place: token, at: dice.below(3))
        record.note { $0.polls[reply.status, default: 0] += 1 }
        guard dice.below(8) == 0, let wait = reply.value("poll.after_s") as? NSNumber else { return }
        try await Task.sleep(for: .milliseconds(wait.doubleValue * 1000))
        let next = try await trio.send("place", visitor, place: token, at: dice.below(3))
        record.note { $0.polls[next.status, default: 0] += 1 }
    }

    private func passes(
        of visitor: Int,
        _ token: String,
        at gateways: [Int]
    ) async throws -> [(id: String, token: String)] {
        try await withThrowingTaskGroup(of: (id: String, token: String)?.self) { tasks in
            for gateway in gateways {
                tasks.addTask {
                    let reply = try await trio.send("claim", visitor, place: token, at: gateway)
                    if let id = reply.text("pass.id"), let pass = reply.text("pass.token") { return (id, pass) }
                    if reply.status != 202 { record.note { $0.refusals[reply.status, default: 0] += 1 } }
                    return nil
                }
            }
            var all: [(id: String, token: String)] = []
            for try await pass in tasks { if let pass { all.append(pass) } }
            return all
        }
    }

    /// Claims, sometimes at two gateways at once, until the place is in; sometimes leaves the shop again.
    private func claim(_ visitor: Int, _ number: Int, _ token: String, _ dice: inout SplitMix) async throws {
        let deadline = ContinuousClock.now + Self.claimLimit
        while ContinuousClock.now < deadline {
            let gateways = dice.below(3) == 0 ? [0, 1, 2] : [dice.below(3)]
            let passes = try await passes(of: visitor, token, at: gateways)
            record.note { facts in facts.passes += passes.map { .init(number: number, id: $0.id) } }
            if let pass = passes.first?.token {
                try await Task.sleep(for: .milliseconds(dice.below(dice.below(3) == 0 ? 1500 : 300)))
                _ = try await trio.visitor(visitor, at: dice.below(3)).with("Usher-Pass", pass)
                    .post("/v1/rooms/\(trio.room)/leave")
                return
            }
            try await Task.sleep(for: .milliseconds(150 + dice.below(300)))
        }
    }
}

/// A generator whose seed says everything.
struct SplitMix: Sendable {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func below(_ bound: Int) -> Int {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return Int((mixed ^ (mixed >> 31)) % UInt64(max(1, bound)))
    }
}
