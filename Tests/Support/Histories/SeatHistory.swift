// The history of a sale as a load run writes it down: one JSON object a line, one line for each thing a visitor did.
import Foundation

/// | member | meaning |
/// |---|---|
/// | `op` | `hold` `release` `order` `pay` `cancel` `look` `lose_holds` |
/// | `called`, `returned` | milliseconds since 1970; no `returned` when no answer came |
/// | `result` | `until` `taken` `gone` `done` `sold` `seen` `unknown` |
/// | `seats` | the seats it was about; none with `lose_holds`, which is about all |
/// | `hold`, `order` | which one |
/// | `until` | with `until`: the deadline, milliseconds since 1970 |
/// | `letters` | with `seen`: a letter for each of `seats` |
package struct SeatRecord: Codable, Sendable, Equatable {
    package var op: String
    package var called: Int64
    package var returned: Int64?
    package var result: String
    package var seats: [String]
    package var hold: String?
    package var order: String?
    package var until: Int64?
    package var letters: String?

    package init(
        op: String,
        called: Int64,
        returned: Int64?,
        result: String,
        seats: [String],
        hold: String? = nil,
        order: String? = nil,
        until: Int64? = nil,
        letters: String? = nil
    ) {
        self.op = op
        self.called = called
        self.returned = returned
        self.result = result
        self.seats = seats
        self.hold = hold
        self.order = order
        self.until = until
        self.letters = letters
    }
}

package struct SeatHistory: Sendable {
    package typealias Operation = HistoryOperation<SeatModel.Input, SeatModel.Output>

    package struct Flaw: Error, CustomStringConvertible {
        package let line: Int
        package var description: String { "line \(line) is not a record of a sale" }
    }

    /// What happened to a seat that no order of events explains.
    package struct Anomaly: Sendable, Equatable {
        package var seat: String
        package var operations: Int
        package var verdict: LinearizabilityChecker<SeatModel>.Verdict
    }

    package private(set) var operations: [String: [Operation]] = [:]

    package init(_ records: [SeatRecord]) throws {
        var everywhere: [Operation] = []
        for (index, record) in records.enumerated() {
            guard let input = record.input, record.letters.map({ $0.count == record.seats.count }) ?? true else {
                throw Flaw(line: index + 1)
            }
            let returned = record.returned ?? Operation.never
            if case .loseHolds = input {
                everywhere.append(Operation(called: record.called, returned: returned, input, .unknown))
            }
            for (place, seat) in record.seats.enumerated() {
                guard let output = record.output(of: place) else { throw Flaw(line: index + 1) }
                operations[seat, default: []].append(
                    Operation(called: record.called, returned: returned, input, output)
                )
            }
        }
        for seat in operations.keys { operations[seat]?.append(contentsOf: everywhere) }
    }

    package init(lines text: String) throws {
        let decoder = JSONDecoder()
        try self.init(
            text.split(separator: "\n").enumerated().map { index, line in
                guard let record = try? decoder.decode(SeatRecord.self, from: Foundation.Data(line.utf8)) else {
                    throw Flaw(line: index + 1)
                }
                return record
            }
        )
    }

    package var operationCount: Int { operations.values.reduce(0) { $0 + $1.count } }

    /// Every seat whose operations cannot be put in an order that explains their answers, by name.
    package func anomalies() -> [Anomaly] {
        let checker = LinearizabilityChecker(SeatModel())
        return operations.sorted { $0.key < $1.key }.compactMap { seat, operations in
            let verdict = checker.check(operations)
            return verdict == .linearizable
                ? nil : Anomaly(seat: seat, operations: operations.count, verdict: verdict)
        }
    }
}

extension SeatRecord {
    fileprivate var input: SeatModel.Input? {
        switch op {
        case "hold": hold.map { .hold($0) }
        case "release": hold.map { .release(hold: $0) }
        case "order": order.flatMap { order in hold.map { .order(order, hold: $0) } }
        case "pay": order.map { .pay(order: $0) }
        case "cancel": order.map { .cancel(order: $0) }
        case "look": .look
        case "lose_holds": .loseHolds
        default: nil
        }
    }

    fileprivate func output(of place: Int) -> SeatModel.Output? {
        switch result {
        case "until": until.map { .until($0) }
        case "taken": .taken
        case "gone": .gone
        case "done": .done
        case "sold": .sold
        case "seen": letters.map { .seen($0[$0.index($0.startIndex, offsetBy: place)]) }
        case "unknown": .unknown
        default: nil
        }
    }
}
