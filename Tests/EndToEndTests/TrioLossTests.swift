import Foundation
import Glibc
import NIOHTTP1
import Testing

/// What three gateways keep of a room when Redis is killed, emptied, rewound, full or stalled, when one of them is
/// frozen, and when a clock jumps.
@Suite(.serialized) struct TrioLossTests {
    enum Fault: String, CaseIterable, Sendable {
        /// `SIGKILL`; `usher up` starts it again on its file.
        case redisKilled
        /// Everything gone, the server running.
        case redisEmptied
        /// Killed, and its file gone.
        case redisWiped
        /// Killed, and the tail of its file cut off.
        case redisRewound
        /// Deaf for longer than any deadline.
        case redisStopped
        /// Busy for longer than any deadline.
        case redisBusy
        /// One gateway hears and says nothing, as behind a partition, and comes back.
        case gatewayFrozen
        /// A gateway dies, and Redis forgets everything.
        case gatewayAndRedis
        /// No memory left for Redis: it refuses every write, and evicts nothing.
        case redisFull
        /// The clock of one gateway jumps ahead, jumps back, or is behind when it is started again.
        case clockAhead, clockBack, clockBehind
    }

    /// A room in which some are in, some are called, and some wait.
    private struct Line {
        var tokens: [Int: String]
        var numbers: [Int: Int]
        var passes: [Int: String]
        var lengthBefore: UInt64
    }

    static let inside = 6
    static let activeMax = 12

    private func line(_ trio: Trio) async throws -> Line {
        try await trio.makeRoom(Trio.policy(perMinute: 1200, activeMax: Self.activeMax))
        var tokens = try await trio.joinAll(0..<24)
        // The first are served; one of them gives the place up and comes again.
        _ = try await trio.send("leave", 7, place: tokens[7] ?? "", at: 1)
        tokens[7] = try await trio.join(7, at: 2).text("token")
        var passes: [Int: String] = [:]
        for visitor in 0..<Self.inside {
            passes[visitor] = try await trio.enter(visitor, tokens[visitor] ?? "")
        }
        let length = try trio.appendOnlyLength()
        tokens.merge(try await trio.joinAll(24..<36)) { $1 }
        passes[Self.inside] = try await trio.enter(Self.inside, tokens[Self.inside] ?? "")
        // What a gateway keeps follows with its next pulls.
        try await Task.sleep(for: .milliseconds(800))
        let numbers = try await numbers(trio, tokens)
        return Line(tokens: tokens, numbers: numbers, passes: passes, lengthBefore: length)
    }

    private func numbers(_ trio: Trio, _ tokens: [Int: String]) async throws -> [Int: Int] {
        var numbers: [Int: Int] = [:]
        for (visitor, token) in tokens {
            let reply = try await trio.send("place", visitor, place: token, at: visitor % 3)
            numbers[visitor] = reply.number("place.number")
        }
        return numbers
    }

    /// A fault after the other, each in a room of its own.
    @Test func `everybody keeps the place they hold, no number comes twice, and nobody gets in beyond pace and cap`()
        async throws
    {
        let clock = try GatewayClock()
        try await Trio.with(environments: [clock.environment, [:]]) { trio in
            for fault in Fault.allCases {
                let begun = ContinuousClock.now
                try await expectKept(trio.with(room: fault.rawValue.lowercased()), fault, clock)
                print("\(fault.rawValue): looked at in \(ContinuousClock.now - begun)")
            }
            try await expectRanksKept(trio.with(room: "lottery"))
        }
    }

    private func expectKept(_ trio: Trio, _ fault: Fault, _ clock: GatewayClock) async throws {
        let line = try await line(trio)
        let back = try await trio.cause(fault, keeping: line.lengthBefore, clock)
        try await expectServing(trio, fault, since: back)
        #expect(try await numbers(trio, line.tokens) == line.numbers, "\(fault)")
        // Who comes back with nothing but the device has the same place.
        for visitor in [7, 20, 30] {
            let again = try await trio.join(visitor, at: visitor % 3)
            #expect(again.number("place.number") == line.numbers[visitor], "\(fault): \(again.json)")
        }
        let highest = line.numbers.values.max() ?? 0
        let fresh = try await numbers(trio, try await trio.joinAll(100..<110))
        #expect(fresh.values.allSatisfy { $0 > highest } && Set(fresh.values).count == 10, "\(fault)")
        for (visitor, pass) in line.passes {
            let token = line.tokens[visitor] ?? ""
            // Of a pass that a dead gateway gave only its place is known: no second one is given for it.
            if fault == .gatewayAndRedis, try await trio.send("claim", visitor, place: token, at: 0).status == 410 {
                continue
            }
            #expect(try await trio.enter(visitor, token) == pass, "\(fault): a second pass")
        }
        try await expectCap(trio, line)
        try await trio.expectOrderIsProved("\(fault)")
        clock.set(.zero)
    }

    /// Joins and claims are answered again; says how long after the store was back.
    private func expectServing(_ trio: Trio, _ fault: Fault, since: ContinuousClock.Instant) async throws {
        for gateway in trio.gateways {
            try await eventually("gateway \(gateway.index) serves after \(fault)", within: .seconds(60)) {
                let room = try? await trio.snapshot(gateway.index)
                guard room?.status == 200, room?.value("degraded") == nil else { return false }
                let join = try? await trio.join(200 + gateway.index, at: gateway.index)
                return (join?.status ?? 500) < 300
            }
        }
        print("\(fault.rawValue): all three serve again \(ContinuousClock.now - since) after it was over")
    }

    /// All who wait claim at once at all gateways: no more get in than the cap leaves.
    private func expectCap(_ trio: Trio, _ line: Line) async throws {
        let waiting = line.tokens.filter { line.passes[$0.key] == nil }
        for _ in 0..<10 {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for (visitor, token) in waiting {
                    tasks.addTask { _ = try await trio.send("claim", visitor, place: token, at: visitor % 3) }
                }
                try await tasks.waitForAll()
            }
            let live = Int(try await trio.redis("ZCARD", "{r:\(trio.room)}:active")) ?? 0
            #expect(live <= Self.activeMax)
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// A drawn lottery that Redis forgets has the same ranks afterwards.
    private func expectRanksKept(_ trio: Trio) async throws {
        let order = ["method": "lottery", "beacon": "commit_reveal"]
        try await trio.makeRoom(Trio.policy(order: order, perMinute: 60, activeMax: 5, opensIn: 4))
        var tokens = try await trio.joinAll(0..<30)
        try await eventually("it is drawn", within: .seconds(60)) {
            try await trio.snapshot(2).text("phase") == "active"
        }
        tokens.merge(try await trio.joinAll(30..<34)) { $1 }
        func ranks(_ index: Int) async throws -> [Int: Int] {
            var ranks: [Int: Int] = [:]
            for (visitor, token) in tokens {
                let reply = try await trio.send("place", visitor, place: token, at: index)
                ranks[visitor] = reply.number("place.rank")
            }
            return ranks
        }
        let before = try await ranks(0)
        #expect(before.count == 34 && Set(before.values).count == 34)
        // The list was signed and the calls are kept.
        try await Task.sleep(for: .milliseconds(1500))
        try await trio.redis("FLUSHALL")
        try await expectServing(trio, .redisEmptied, since: .now)
        for index in 0..<3 {
            try await eventually("gateway \(index) has all ranks", within: .seconds(60)) {
                try await ranks(index) == before
            }
        }
        try await trio.expectOrderIsProved("lottery")
    }
}

extension Trio {
    private func appendOnlyFile() throws -> String {
        let folder = stack.data + "/redis/appendonlydir"
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".incr.aof") }
        guard let file = files.max() else { throw StackFault("no append-only file in \(folder)") }
        return folder + "/" + file
    }

    func appendOnlyLength() throws -> UInt64 {
        try FileManager.default.attributesOfItem(atPath: appendOnlyFile())[.size] as? UInt64 ?? 0
    }

    /// Does it; when it was over.
    fileprivate func cause(
        _ fault: TrioLossTests.Fault,
        keeping length: UInt64,
        _ clock: GatewayClock
    ) async throws -> ContinuousClock.Instant {
        switch fault {
        case .redisKilled: try await stack.killAndWaitForNext("redis")
        case .redisEmptied: try await redis("FLUSHALL")
        case .redisWiped:
            let folder = stack.data + "/redis/appendonlydir"
            try await betweenRuns { try FileManager.default.removeItem(atPath: folder) }
        case .redisRewound:
            let file = try appendOnlyFile()
            try await betweenRuns {
                let handle = try FileHandle(forWritingTo: URL(filePath: file))
                try handle.truncate(atOffset: length)
                try handle.close()
            }
        case .redisStopped:
            let store = try stack.processID(of: "redis")
            _ = Glibc.kill(store, SIGSTOP)
            try await Task.sleep(for: .seconds(4))
            _ = Glibc.kill(store, SIGCONT)
        case .redisBusy: try await redis("DEBUG", "SLEEP", "4")
        case .gatewayFrozen:
            try await signal(SIGSTOP, gateway: 1)
            try await Task.sleep(for: .seconds(4))
            try await signal(SIGCONT, gateway: 1)
        case .gatewayAndRedis:
            try await kill(1)
            try await redis("FLUSHALL")
            try await start(1)
        case .redisFull:
            try await redis("CONFIG", "SET", "maxmemory", "1mb")
            try await withThrowingTaskGroup(of: Visitor.Reply.self) { tasks in
                for index in 0..<3 { tasks.addTask { try await join(300 + index, at: index) } }
                for try await refused in tasks {
                    #expect(refused.status == 503, "\(refused.json)")
                    #expect(!refused.headers["Retry-After"].isEmpty)
                }
            }
            try await redis("CONFIG", "SET", "maxmemory", "0")
        case .clockAhead: try await turn(clock, by: 20)
        case .clockBack: try await turn(clock, by: -20)
        case .clockBehind:
            try await turn(clock, by: -20)
            try await restart(1)
        }
        return .now
    }

    /// Turns the clock of the second gateway, and sees that it did turn: its replies are dated.
    private func turn(_ clock: GatewayClock, by seconds: Int) async throws {
        clock.set(.seconds(seconds))
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
        try await eventually("the clock of gateway 1 is \(seconds) s off", within: .seconds(60)) {
            let dated = try await snapshot(1).headers["Date"].first
            guard let date = dated.flatMap(format.date(from:)) else { return false }
            return abs(date.timeIntervalSinceNow - Double(seconds)) < 5
        }
    }

    /// Ends Redis, and does something before `usher up` starts it again.
    private func betweenRuns(_ change: () throws -> Void) async throws {
        let usher = try stack.processID(of: "usher")
        let store = try stack.processID(of: "redis")
        _ = Glibc.kill(usher, SIGSTOP)
        _ = Glibc.kill(store, SIGKILL)
        try await Task.sleep(for: .milliseconds(300))
        defer { _ = Glibc.kill(usher, SIGCONT) }
        try change()
        _ = Glibc.kill(usher, SIGCONT)
        try await eventually("redis is started again", within: .seconds(60)) {
            (try? stack.processID(of: "redis")).map { $0 != store } ?? false
        }
    }
}
