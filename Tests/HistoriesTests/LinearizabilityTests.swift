import Histories
import Testing

struct LinearizabilityTests {
    @Test(.enabled(if: PorcupineHistories.folder != nil, "skipped: no corpora"))
    func `every etcd history gets its known verdict`() throws {
        let verdicts = try PorcupineHistories.registerVerdicts()
        #expect(verdicts.count == 102)
        for (name, isLinearizable) in verdicts {
            let verdict = LinearizabilityChecker(RegisterModel()).check(try PorcupineHistories.register(name))
            #expect(verdict != .undecided, "\(name)")
            #expect((verdict == .linearizable) == isLinearizable, "\(name): \(verdict)")
        }
    }

    @Test(.enabled(if: PorcupineHistories.folder != nil, "skipped: no corpora"))
    func `every key-value history gets the verdict in its name`() throws {
        let names = try PorcupineHistories.keyValueNames()
        #expect(names.count == 6)
        for name in names {
            let verdict = LinearizabilityChecker(KeyValueModel()).check(parts: try PorcupineHistories.keyValue(name))
            #expect(verdict != .undecided, "\(name)")
            #expect((verdict == .linearizable) == name.hasSuffix("-ok.txt"), "\(name): \(verdict)")
        }
    }

    private typealias Operation = HistoryOperation<RegisterModel.Input, RegisterModel.Output>

    /// Every order of the operations that time allows, tried one by one.
    private func isExplainedByBruteForce(_ operations: [Operation]) -> Bool {
        func search(_ left: [Operation], _ state: Int?) -> Bool {
            if left.isEmpty { return true }
            for (index, operation) in left.enumerated() {
                let others = left.enumerated().filter { $0.offset != index }.map(\.element)
                // Nobody who had returned before this one was called may come after it.
                guard !others.contains(where: { $0.returned < operation.called }) else { continue }
                if let next = RegisterModel().after(state, operation), search(others, next) { return true }
            }
            return false
        }
        return search(operations, RegisterModel().initial)
    }

    @Test func `on small histories the verdict is that of brute force`() {
        var chance = SeededChance(seed: 7)
        var verdicts: [Bool: Int] = [:]
        for _ in 0..<4000 {
            let operations = (0..<Int.random(in: 1...6, using: &chance)).map { _ in
                let called = Int64.random(in: 0..<20, using: &chance)
                let span = Int64.random(in: 0..<8, using: &chance)
                let (from, to) = (Int.random(in: 0...2, using: &chance), Int.random(in: 0...2, using: &chance))
                return switch Int.random(in: 0..<5, using: &chance) {
                case 0: Operation(called: called, returned: called + span, .read, .value(from == 2 ? nil : from))
                case 1: Operation(called: called, returned: called + span, .write(to), .done)
                case 2: Operation(called: called, returned: called + span, .compareAndSet(from: from, to: to), .done)
                case 3: Operation(called: called, returned: called + span, .compareAndSet(from: from, to: to), .refused)
                default: Operation(called: called, returned: Operation.never, .write(to), .unknown)
                }
            }
            let verdict = LinearizabilityChecker(RegisterModel()).check(operations)
            let expected = isExplainedByBruteForce(operations)
            #expect((verdict == .linearizable) == expected, "\(operations)")
            verdicts[expected, default: 0] += 1
        }
        #expect(verdicts[true, default: 0] > 400 && verdicts[false, default: 0] > 400)
    }

    @Test func `what needs more steps than allowed is undecided`() {
        let writes = (0..<20).map { Operation(called: 0, returned: 100, .write($0), .done) }
        let read = Operation(called: 200, returned: 201, .read, .value(99))
        let verdict = LinearizabilityChecker(RegisterModel(), stepsMax: 1000).check(writes + [read])
        #expect(verdict == .undecided)
        let bad = [Operation(called: 0, returned: 1, .read, .value(3))]
        let easy = [Operation(called: 0, returned: 1, .write(3), .done)]
        let checker = LinearizabilityChecker(RegisterModel(), stepsMax: 1000)
        #expect(checker.check(parts: [writes + [read], easy]) == .undecided)
        #expect(checker.check(parts: [writes + [read], easy, bad]) == .violated(explained: 0))
        #expect(checker.check(parts: [easy, easy]) == .linearizable)
    }

    @Test func `nothing that happened is fine`() {
        #expect(LinearizabilityChecker(RegisterModel()).check([]) == .linearizable)
    }
}

/// SplitMix64: the same seed gives the same numbers.
struct SeededChance: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
