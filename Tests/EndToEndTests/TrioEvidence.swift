import Foundation
import Glibc
import Synchronization

/// What is left of one run of a room over three gateways, for the invariants to be judged by.
struct TrioEvidence: Sendable {
    enum Order: String, CaseIterable, Sendable {
        case firstCome, tieWindows, lottery

        var room: String { rawValue.lowercased() }

        var policy: [String: Any] {
            switch self {
            case .firstCome: ["method": "first_come"]
            case .tieWindows: ["method": "first_come", "tie_window_ms": 250]
            case .lottery: ["method": "lottery", "beacon": "commit_reveal"]
            }
        }
    }

    struct Sample: Sendable {
        var cursor: Int
        var epoch: Int
        var lastNumber: Int
        var signed: Int
    }

    struct Grant: Sendable {
        var at: Int
        var kind: String
        var pass: String
        var expiry: Int
    }

    static let visitors = 90
    static let perMinute = 1200
    static let activeMax = 25

    var facts = TrioRecord.Facts()
    var grants: [Grant] = []
    /// Rank of each number, by gateway.
    var ranks: [[Int: Int]] = [[:], [:], [:]]
    var ranksBeforeChange: [Int: Int] = [:]
    var changed = (allowed: 0, refused: 0)
    /// Bodies of the same places from the same snapshot, by gateway.
    var bodies: [[Data]] = []
    var draws: [String] = []
    var sealedAt: Date?
    var cohort: Int?
    /// What all gateways say to a token: before a restart, after it, and to a false one.
    var verdicts: (before: [Int], after: [Int], altered: [Int]) = ([], [], [])
    var check: (status: Int32, output: String) = (-1, "")
    var audits: [(status: Int32, output: String)] = []
    var tamperedStatus: Int32 = -1
}

/// Runs the rooms once; their tests share what came of it.
actor TrioRuns {
    static let shared = TrioRuns()
    private var known: Result<[TrioEvidence.Order: TrioEvidence], any Error>?

    func evidence(of order: TrioEvidence.Order) async throws -> TrioEvidence {
        if known == nil {
            do { known = .success(try await run()) } catch { known = .failure(error) }
        }
        guard let evidence = try known?.get()[order] else { throw StackFault("\(order) was not run") }
        return evidence
    }

    /// The crowds of all rooms come at the same time; what is looked at afterwards is looked at room by room.
    private func run() async throws -> [TrioEvidence.Order: TrioEvidence] {
        let all = Mutex<[TrioEvidence.Order: TrioEvidence]>([:])
        try await Trio.with { trio in
            let runs = TrioEvidence.Order.allCases.map { TrioRun(order: $0, trio: trio.with(room: "trio-\($0.room)")) }
            var made = try await withThrowingTaskGroup(of: (TrioEvidence.Order, TrioEvidence).self) { tasks in
                for run in runs { tasks.addTask { (run.order, try await run.load()) } }
                return try await tasks.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            for run in runs { try await run.look(at: &made[run.order, default: TrioEvidence()]) }
            try await trio.restart(1)
            for run in runs { try await run.collect(&made[run.order, default: TrioEvidence()]) }
            let check = try await trio.stack.run("usher", ["check", "--data", trio.stack.data, "--settle", "10"])
            for run in runs { made[run.order]?.check = check }
            let result = made
            all.withLock { $0 = result }
        }
        return all.withLock { $0 }
    }
}

struct TrioRun: Sendable {
    let order: TrioEvidence.Order
    let trio: Trio

    fileprivate func look(at evidence: inout TrioEvidence) async throws {
        try await changePolicy(&evidence)
        try await sameBodies(&evidence)
        evidence.verdicts.before = try await verdicts(evidence, isAltered: false)
    }

    fileprivate func load() async throws -> TrioEvidence {
        var evidence = TrioEvidence()
        let record = TrioRecord()
        try await trio.makeRoom(policy(opensIn: order == .lottery ? 2.5 : nil))
        try await withThrowingTaskGroup(of: Bool.self) { tasks in
            for gateway in trio.gateways {
                tasks.addTask {
                    while !Task.isCancelled {
                        if let sample = try? await sample(gateway.index) {
                            record.note { $0.samples[gateway.index].append(sample) }
                        }
                        try? await Task.sleep(for: .milliseconds(80))
                    }
                    return false
                }
            }
            tasks.addTask {
                let load = TrioLoad(trio: trio, record: record, seed: 7, arriveWithin: .seconds(4))
                try await load.run(0..<TrioEvidence.visitors)
                return true
            }
            while let isLoad = try await tasks.next(), !isLoad {}
            tasks.cancelAll()
        }
        evidence.facts = record.all
        return evidence
    }

    private func policy(opensIn seconds: Double? = nil, perMinute: Int = TrioEvidence.perMinute) -> [String: Any] {
        Trio.policy(
            order: order.policy,
            perMinute: perMinute,
            activeMax: TrioEvidence.activeMax,
            opensIn: seconds
        )
    }

    private func sample(_ index: Int) async throws -> TrioEvidence.Sample {
        let room = try await trio.snapshot(index)
        let note = try await Visitor(base: trio.gateways[index].url).get("/v1/rooms/\(trio.room)/log/checkpoint")
        let lines = String(decoding: note.body, as: UTF8.self).split(separator: "\n")
        guard let cursor = room.number("serving.cursor"), let epoch = room.number("epoch"),
            let last = room.number("last_number")
        else { throw StackFault("no snapshot") }
        let signed = note.status == 200 && lines.count > 1 ? Int(lines[1]) ?? 0 : 0
        return .init(cursor: cursor, epoch: epoch, lastNumber: last, signed: signed)
    }

    /// The pace may change while people wait; the order may not.
    private func changePolicy(_ evidence: inout TrioEvidence) async throws {
        // A line that waits: nobody is called while the room stands.
        guard try await trio.ask("override", ["override": "paused"], at: 1).status == 200 else {
            throw StackFault("the room does not pause")
        }
        let late = try await trio.joinAll(5000..<5012)
        for (visitor, token) in late {
            let place = try await trio.send("place", visitor, place: token, at: 0)
            guard let number = place.number("place.number") else { continue }
            evidence.facts.tokens[number] = token
            evidence.facts.visitors[number] = visitor
        }
        try await eventually("all are ranked", within: .seconds(60)) {
            let ranks = try await ranks(evidence.facts, at: 0)
            return ranks.count == evidence.facts.tokens.count
        }
        evidence.ranksBeforeChange = try await ranks(evidence.facts, at: 0)
        var pace = policy(perMinute: 900)
        pace["schedule"] = try await schedule()
        evidence.changed.allowed = try await trio.changeRoom(pace, version: 1, at: 2).status
        pace["order"] = ["method": "first_come", "tie_window_ms": 400]
        evidence.changed.refused = try await trio.changeRoom(pace, version: 2, at: 0).status
        for index in 0..<3 {
            try await eventually("gateway \(index) has the new policy", within: .seconds(60)) {
                try await trio.snapshot(index).number("policy.version") == 2
            }
            evidence.ranks[index] = try await ranks(evidence.facts, at: index)
        }
    }

    /// As it stands in the room: a lottery's may not change any more.
    private func schedule() async throws -> [String: Any] {
        let text = try await trio.redis("HGET", "{r:\(trio.room)}:meta", "policy")
        let policy = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        return policy?["schedule"] as? [String: Any] ?? [:]
    }

    private func ranks(_ facts: TrioRecord.Facts, at index: Int) async throws -> [Int: Int] {
        try await withThrowingTaskGroup(of: (Int, Int?).self) { tasks in
            for (number, token) in facts.tokens {
                tasks.addTask {
                    let reply = try await trio.send("place", facts.visitors[number] ?? 0, place: token, at: index)
                    return (number, reply.number("place.rank"))
                }
            }
            return try await tasks.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    /// A store that is held up answers the pulls of all gateways at one moment: then they have the same snapshot.
    private func sameBodies(_ evidence: inout TrioEvidence) async throws {
        let places = evidence.facts.tokens.sorted { $0.key < $1.key }.suffix(16)
        let facts = evidence.facts
        let store = try trio.stack.processID(of: "redis")
        for _ in 0..<40 {
            _ = Glibc.kill(store, SIGSTOP)
            try await Task.sleep(for: .milliseconds(450))
            _ = Glibc.kill(store, SIGCONT)
            try await Task.sleep(for: .milliseconds(40))
            let bodies = try await withThrowingTaskGroup(of: (Int, [Data]).self) { tasks in
                for index in 0..<3 {
                    tasks.addTask {
                        var bodies: [Data] = []
                        for (number, token) in places {
                            let visitor = facts.visitors[number] ?? 0
                            bodies.append(try await trio.send("place", visitor, place: token, at: index).body)
                        }
                        return (index, bodies)
                    }
                }
                return try await tasks.reduce(into: [[], [], []]) { $0[$1.0] = $1.1 }
            }
            let moments = Set(
                bodies.joined().map { body -> String in
                    let json = (try? JSONSerialization.jsonObject(with: body)) as? [String: Any]
                    return json?["as_of"] as? String ?? ""
                }
            )
            guard moments.count == 1, moments != [""] else { continue }
            evidence.bodies = bodies
            return
        }
    }

    /// What each gateway says to the token of the newest place.
    private func verdicts(_ evidence: TrioEvidence, isAltered: Bool) async throws -> [Int] {
        guard let (number, good) = evidence.facts.tokens.max(by: { $0.key < $1.key }) else { return [] }
        let middle = good.index(good.startIndex, offsetBy: good.count / 2)
        let other = good[middle] == "A" ? "B" : "A"
        let token = isAltered ? good[..<middle] + other + good[good.index(after: middle)...] : good[...]
        var all: [Int] = []
        for index in 0..<3 {
            let visitor = evidence.facts.visitors[number] ?? 0
            all.append(try await trio.send("place", visitor, place: String(token), at: index).status)
        }
        return all
    }

    fileprivate func collect(_ evidence: inout TrioEvidence) async throws {
        evidence.verdicts.after = try await verdicts(evidence, isAltered: false)
        evidence.verdicts.altered = try await verdicts(evidence, isAltered: true)
        for gateway in trio.gateways {
            let draw = try await Visitor(base: gateway.url).get("/v1/rooms/\(trio.room)/draw")
            let document = try JSONSerialization.data(
                withJSONObject: draw.json["draw"] as? [String: Any] ?? [:],
                options: .sortedKeys
            )
            evidence.draws.append(String(decoding: document, as: UTF8.self))
        }
        let meta = try await trio.redis("HMGET", "{r:\(trio.room)}:meta", "cohort", "sealed_at")
            .split(separator: "\n").compactMap { Int($0) }
        if meta.count == 2 {
            evidence.cohort = meta[0]
            evidence.sealedAt = Date(timeIntervalSince1970: Double(meta[1]) / 1000)
        }
        evidence.grants = try await grants()
        if order != .firstCome { _ = try await trio.ask("phase", ["phase": "closed"]) }
        try await eventually("all that is public is", within: .seconds(60)) {
            try await trio.snapshot(2).text("phase") == (order == .firstCome ? "active" : "closed")
        }
        for gateway in trio.gateways {
            let audit = try await trio.audit(at: gateway.index)
            evidence.audits.append((audit.status, audit.output))
            if gateway.index == 2 {
                let tampered = try Trio.tamper(with: audit.bundle)
                evidence.tamperedStatus = try await trio.stack.run("usher", ["audit", "--bundle", tampered]).status
            }
        }
    }

    private func grants() async throws -> [TrioEvidence.Grant] {
        let lines = try await trio.redis("XRANGE", "{r:\(trio.room)}:grants", "-", "+")
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        var grants: [TrioEvidence.Grant] = []
        for (index, line) in lines.enumerated() {
            let parts = line.split(separator: "-")
            guard parts.count == 2, let at = Int(parts[0]), Int(parts[1]) != nil, index + 1 < lines.count,
                lines[index + 1] == "kind"
            else { continue }
            var fields: [String: String] = [:]
            for field in stride(from: index + 1, to: min(index + 13, lines.count - 1), by: 2) {
                fields[lines[field]] = lines[field + 1]
            }
            guard let kind = fields["kind"], let pass = fields["pid"], let expiry = fields["exp"].flatMap({ Int($0) })
            else { continue }
            grants.append(.init(at: at, kind: kind, pass: pass, expiry: expiry))
        }
        return grants
    }
}
