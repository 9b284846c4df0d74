/// Whether a history could have come from an object that does one operation at a time (Herlihy & Wing 1990).
///
/// The search of Wing & Gong (1993), which takes any operation that no unfinished one precedes, tries it on the model, and
/// steps back when it gets stuck; with Lowe's memo (2017): a set of operations done and the state they led to is looked
/// at once. Exponential at worst, so the steps are bounded.
package struct LinearizabilityChecker<Model: HistoryModel>: Sendable {
    package typealias Operation = HistoryOperation<Model.Input, Model.Output>

    package enum Verdict: Sendable, Equatable {
        case linearizable
        /// No order of the operations explains every answer; this many could be explained at most.
        case violated(explained: Int)
        /// The bound of steps was used up.
        case undecided
    }

    private struct Configuration: Hashable {
        var done: OperationSet
        var state: Model.State
    }

    private let model: Model
    private let stepsMax: Int

    package init(_ model: Model, stepsMax: Int = 5_000_000) {
        self.model = model
        self.stepsMax = stepsMax
    }

    /// The verdict on a history of several objects, split by object, which loses nothing: one that is violated violates
    /// the whole. Easy parts are looked at first, as one of them may spare the others.
    package func check(parts: [[Operation]]) -> Verdict {
        var left = parts
        var steps = Self.firstSteps
        while !left.isEmpty {
            steps = min(steps, stepsMax)
            var undecided: [[Operation]] = []
            for part in left {
                switch Self(model, stepsMax: steps).check(part) {
                case .linearizable: break
                case .undecided: undecided.append(part)
                case .violated(let explained): return .violated(explained: explained)
                }
            }
            guard steps < stepsMax else { return undecided.isEmpty ? .linearizable : .undecided }
            left = undecided
            steps *= 10
        }
        return .linearizable
    }

    private static var firstSteps: Int { 50_000 }

    package func check(_ operations: [Operation]) -> Verdict {
        var line = EventLine(operations.map { ($0.called, $0.returned) })
        var state = model.initial
        var done = OperationSet(count: operations.count)
        var seen: Set<Configuration> = []
        var taken: [(operation: Int, before: Model.State)] = []
        var (explained, steps) = (0, 0)
        var event = line.first
        while let current = event {
            steps += 1
            guard steps <= stepsMax else { return .undecided }
            if line.isCall(current) {
                let operation = line.operation(current)
                if let next = model.after(state, operations[operation]) {
                    done.insert(operation)
                    if seen.insert(Configuration(done: done, state: next)).inserted {
                        taken.append((operation, state))
                        explained = max(explained, taken.count)
                        state = next
                        line.lift(operation)
                        event = line.first
                        continue
                    }
                    done.remove(operation)
                }
                event = line.next(current)
            } else {
                // This operation had to be done by now: another choice before it must have been wrong.
                guard let last = taken.popLast() else { return .violated(explained: explained) }
                state = last.before
                done.remove(last.operation)
                line.putBack(last.operation)
                event = line.next(line.call(of: last.operation))
            }
        }
        return .linearizable
    }
}

/// Which operations are done.
private struct OperationSet: Hashable {
    private var words: [UInt64]

    init(count: Int) {
        words = [UInt64](repeating: 0, count: (count + 63) / 64)
    }

    mutating func insert(_ operation: Int) { words[operation / 64] |= 1 << UInt64(operation % 64) }
    mutating func remove(_ operation: Int) { words[operation / 64] &= ~(1 << UInt64(operation % 64)) }
}
