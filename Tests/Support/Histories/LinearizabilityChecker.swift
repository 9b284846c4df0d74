/// Whether a history could have come from an object that does one operation at a time (Herlihy & Wing 1990).
///
/// The search of Wing & Gong (1993), which takes any operation that no unfinished one precedes, tries it on the model, and
/// steps back when it gets stuck; with Lowe's memo (2017): a set of operations done and the state they led to is looked at
/// once. What only looks, and sees what is so, is taken as soon as it may be. Exponential at worst: the steps are bounded.
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
        var search = Search(model, operations)
        search.absorb()
        var seen: Set<Configuration> = []
        var (explained, steps) = (0, 0)
        var event = search.line.first
        while let current = event {
            steps += 1
            guard steps <= stepsMax else { return .undecided }
            if search.line.isCall(current) {
                event = search.line.next(current)
                guard search.take(search.line.operation(current)) else { continue }
                explained = max(explained, search.taken.count)
                if seen.insert(Configuration(done: search.done, state: search.state)).inserted {
                    event = search.line.first
                } else {
                    search.stepBack()
                }
            } else {
                // This operation had to be done by now: another choice before it must have been wrong.
                guard let last = search.stepBack() else { return .violated(explained: explained) }
                event = search.line.next(search.line.call(of: last))
            }
        }
        return .linearizable
    }

    /// Where the search stands: the operations done, in order, and the state they led to.
    private struct Search {
        private let model: Model
        private let operations: [Operation]
        private(set) var line: EventLine
        private(set) var state: Model.State
        private(set) var done: OperationSet
        /// With the state before; `isChoice` when another operation might have been taken in its place.
        private(set) var taken: [(operation: Int, before: Model.State, isChoice: Bool)] = []

        init(_ model: Model, _ operations: [Operation]) {
            self.model = model
            self.operations = operations
            line = EventLine(operations.map { ($0.called, $0.returned) })
            state = model.initial
            done = OperationSet(count: operations.count)
        }

        /// Takes an operation, and everything it makes absorbable; `false` when the model forbids it.
        mutating func take(_ operation: Int) -> Bool {
            guard let next = model.after(state, operations[operation]) else { return false }
            add(operation, isChoice: true)
            state = next
            absorb()
            return true
        }

        /// Takes all that may come next, only looks, and is true now: sooner is never worse for such an operation.
        mutating func absorb() {
            var event = line.first
            while let current = event, line.isCall(current) {
                event = line.next(current)
                let operation = line.operation(current)
                guard model.onlyLooks(operations[operation]), model.after(state, operations[operation]) == state
                else { continue }
                // Its return may have been what came next.
                if event == line.returned(of: operation) { event = event.flatMap { line.next($0) } }
                add(operation, isChoice: false)
            }
        }

        /// Undoes the last choice with all that was absorbed since; the operation it took.
        @discardableResult
        mutating func stepBack() -> Int? {
            while let last = taken.popLast() {
                state = last.before
                done.remove(last.operation)
                line.putBack(last.operation)
                if last.isChoice { return last.operation }
            }
            return nil
        }

        private mutating func add(_ operation: Int, isChoice: Bool) {
            taken.append((operation, state, isChoice))
            done.insert(operation)
            line.lift(operation)
        }
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
