// The seat as a model: true histories pass, and a thousand falsified ones do not.
import Histories
import Testing

struct SeatHistoryTests {
    private typealias Operation = SeatHistory.Operation

    private func verdict(_ operations: [Operation]) -> LinearizabilityChecker<SeatModel>.Verdict {
        LinearizabilityChecker(SeatModel()).check(operations)
    }

    private static func operation(
        _ times: ClosedRange<Int64>,
        _ input: SeatModel.Input,
        _ output: SeatModel.Output
    ) -> Operation {
        Operation(called: times.lowerBound, returned: times.upperBound, input, output)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var operations: [SeatHistory.Operation]
        var isPossible: Bool

        init(_ name: String, _ isPossible: Bool, _ operations: [SeatHistory.Operation]) {
            testDescription = name
            self.operations = operations
            self.isPossible = isPossible
        }
    }

    static let cases: [Case] = [
        Case(
            "held, ordered, sold",
            true,
            [
                operation(0...1, .hold("a"), .until(300_000)),
                operation(2...3, .order("1", hold: "a"), .until(600_000)),
                operation(4...5, .pay(order: "1"), .sold), operation(6...7, .look, .seen("S")),
            ]
        ),
        Case(
            "two holds at once",
            false,
            [
                operation(0...1, .hold("a"), .until(300_000)), operation(2...3, .hold("b"), .until(300_000)),
            ]
        ),
        Case(
            "two holds, the first ended by itself",
            true,
            [
                operation(0...1, .hold("a"), .until(300_000)),
                operation(300_500...300_600, .hold("b"), .until(600_000)),
            ]
        ),
        Case(
            "a hold that ended before its time",
            false,
            [
                operation(0...1, .hold("a"), .until(300_000)),
                operation(200_000...200_001, .hold("b"), .until(500_000)),
            ]
        ),
        Case(
            "the same after the store was lost",
            true,
            [
                operation(0...1, .hold("a"), .until(300_000)), operation(100...200, .loseHolds, .unknown),
                operation(200_000...200_001, .hold("b"), .until(500_000)),
            ]
        ),
        Case(
            "an order is not lost with the store",
            false,
            [
                operation(0...1, .hold("a"), .until(300_000)),
                operation(2...3, .order("1", hold: "a"), .until(300_000)),
                operation(100...200, .loseHolds, .unknown), operation(1000...1001, .hold("b"), .until(500_000)),
            ]
        ),
        Case("taken while nobody had it", false, [operation(0...1, .hold("a"), .taken)]),
        Case(
            "taken by somebody at the same time",
            true,
            [
                operation(0...5, .hold("a"), .until(300_000)), operation(0...5, .hold("b"), .taken),
            ]
        ),
        Case(
            "a hold without answer may have been",
            true,
            [
                Operation(called: 0, returned: Operation.never, .hold("a"), .unknown),
                operation(2...3, .hold("b"), .taken), operation(4...5, .order("1", hold: "a"), .until(300_000)),
            ]
        ),
        Case(
            "sold twice",
            false,
            [
                operation(0...1, .hold("a"), .until(300_000)),
                operation(2...3, .order("1", hold: "a"), .until(600_000)),
                operation(4...5, .pay(order: "1"), .sold), operation(6...7, .hold("b"), .until(300_000)),
            ]
        ),
        Case(
            "sold once, told twice",
            true,
            [
                operation(0...1, .hold("a"), .until(300_000)),
                operation(2...3, .order("1", hold: "a"), .until(600_000)),
                operation(4...5, .pay(order: "1"), .sold), operation(6...7, .pay(order: "1"), .sold),
            ]
        ),
        Case(
            "sold without an order",
            false,
            [
                operation(0...1, .hold("a"), .until(300_000)), operation(4...5, .pay(order: "1"), .sold),
            ]
        ),
        Case(
            "shown free while sold",
            false,
            [
                operation(0...1, .hold("a"), .until(300_000)),
                operation(2...3, .order("1", hold: "a"), .until(600_000)),
                operation(4...5, .pay(order: "1"), .sold), operation(6...7, .look, .seen("F")),
            ]
        ),
        Case(
            "given back and taken again",
            true,
            [
                operation(0...1, .hold("a"), .until(300_000)), operation(2...3, .release(hold: "a"), .done),
                operation(4...5, .hold("b"), .until(300_000)),
                operation(6...7, .order("1", hold: "b"), .until(600_000)),
                operation(8...9, .cancel(order: "1"), .done), operation(10...11, .look, .seen("F")),
            ]
        ),
        Case(
            "a hold that was there is told to be gone",
            false,
            [
                operation(0...1, .hold("a"), .until(300_000)), operation(2...3, .order("1", hold: "a"), .gone),
            ]
        ),
    ]

    @Test(arguments: cases)
    func `a history of one seat is possible or not`(_ one: Case) {
        #expect((verdict(one.operations) == .linearizable) == one.isPossible)
    }

    /// A true history: buyers one after the other and beside each other at a seat that does one thing at a time.
    private func history(_ chance: inout SeededChance) -> [Operation] {
        var operations: [Operation] = []
        var now: Int64 = 0
        var owner: String?
        func next(_ input: SeatModel.Input, _ output: SeatModel.Output) {
            // Its moment is `now`; call and return lie around it, so that neighbours overlap now and then.
            now += 10
            let (before, after) = (Int64.random(in: 1...14, using: &chance), Int64.random(in: 1...14, using: &chance))
            operations.append(Operation(called: now - before, returned: now + after, input, output))
        }
        for buyer in 0..<Int.random(in: 2...6, using: &chance) {
            let (hold, order) = ("h\(buyer)", "o\(buyer)")
            guard owner == nil else {
                next(.hold(hold), .taken)
                continue
            }
            next(.hold(hold), .until(now + 300_000))
            if Bool.random(using: &chance) { next(.hold("late\(buyer)"), .taken) }
            switch Int.random(in: 0..<4, using: &chance) {
            case 0: next(.release(hold: hold), .done)
            case 1:
                next(.order(order, hold: hold), .until(now + 300_000))
                next(.cancel(order: order), .done)
            default:
                next(.order(order, hold: hold), .until(now + 300_000))
                if Bool.random(using: &chance) { next(.pay(order: order), .until(now + 300_000)) }
                next(.pay(order: order), .sold)
                owner = order
            }
        }
        if owner == nil {
            next(.hold("last"), .until(now + 300_000))
            next(.order("last", hold: "last"), .until(now + 300_000))
            next(.pay(order: "last"), .sold)
        }
        return operations
    }

    @Test func `a thousand true histories pass, and each of them falsified does not`() throws {
        var chance = SeededChance(seed: 42)
        for round in 0..<1000 {
            let true1 = history(&chance)
            #expect(verdict(true1) == .linearizable, "\(true1)")
            var false1 = true1
            let sale = try #require(true1.lastIndex { $0.output == .sold })
            guard case .pay(let order) = true1[sale].input,
                let ordered = true1.firstIndex(where: { if case .order(order, _) = $0.input { true } else { false } }),
                case .order(_, let hold) = true1[ordered].input,
                let held = true1.firstIndex(where: { $0.input == .hold(hold) })
            else {
                Issue.record("the sale of history \(round) has no order")
                return
            }
            let end = true1.map(\.returned).max() ?? 0
            switch round % 4 {
            case 0:
                // A second sale of the seat.
                false1.append(Self.operation(end + 10...end + 11, .hold("again"), .until(end + 300_000)))
            case 1: false1.remove(at: ordered)
            case 2: false1.remove(at: held)
            default:
                // The answers of two who wanted the seat, exchanged.
                false1.append(Self.operation(end + 10...end + 11, .hold("loser"), true1[held].output))
                false1[held].output = .taken
            }
            #expect(verdict(false1) != .linearizable, "\(round): \(false1)")
        }
    }

    @Test func `a record of lines becomes a history for each seat`() throws {
        let lines = """
            {"op":"hold","called":1,"returned":2,"result":"until","seats":["A-1-1","A-1-2"],"hold":"h","until":300000}
            {"op":"hold","called":3,"returned":4,"result":"taken","seats":["A-1-2"],"hold":"g"}
            {"op":"lose_holds","called":5,"returned":6,"result":"unknown","seats":[]}
            {"op":"look","called":7,"returned":8,"result":"seen","seats":["A-1-1","A-1-2"],"letters":"FH"}
            {"op":"hold","called":9,"result":"unknown","seats":["A-1-1"],"hold":"k"}
            """
        let history = try SeatHistory(lines: lines)
        #expect(history.operations["A-1-1"]?.count == 4 && history.operations["A-1-2"]?.count == 4)
        #expect(history.anomalies().isEmpty)
        let broken = try SeatHistory(lines: lines + "\n" + lines.replacing("\"h\"", with: "\"i\""))
        #expect(broken.anomalies().map(\.seat) == ["A-1-1", "A-1-2"])
    }

    @Test(arguments: [
        "nothing", "{}", #"{"op":"hold","called":1,"result":"until","seats":["a"]}"#,
        #"{"op":"sell","called":1,"result":"done","seats":["a"]}"#,
        #"{"op":"look","called":1,"result":"seen","seats":["a","b"],"letters":"F"}"#,
        #"{"op":"hold","hold":"h","called":1,"result":"maybe","seats":["a"]}"#,
    ])
    func `a line that is not a record is named`(_ line: String) {
        let good = #"{"op":"look","called":1,"returned":2,"result":"seen","seats":["a"],"letters":"F"}"#
        let flaw = #expect(throws: SeatHistory.Flaw.self) { _ = try SeatHistory(lines: good + "\n" + line) }
        #expect(flaw?.line == 2)
    }
}
