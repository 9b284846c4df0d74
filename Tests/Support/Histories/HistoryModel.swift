/// What an object may do, one operation at a time: the yardstick a history of overlapping operations is held against.
package protocol HistoryModel: Sendable {
    associatedtype State: Hashable, Sendable
    associatedtype Input: Sendable
    associatedtype Output: Sendable

    var initial: State { get }

    /// The state after an operation that gave this answer, `nil` when it cannot have given it. Of an operation whose
    /// answer is unknown it must say what may have happened, whatever the state.
    func after(_ state: State, _ operation: HistoryOperation<Input, Output>) -> State?

    /// Whether the operation only looks: whatever the state, it can at most tell more of it.
    func onlyLooks(_ operation: HistoryOperation<Input, Output>) -> Bool
}

/// An operation and when it ran, by one clock. What it did took effect at one moment between the two times.
package struct HistoryOperation<Input: Sendable, Output: Sendable>: Sendable {
    /// In the unit of the history, whatever that is.
    package var called: Int64
    /// `never` when no answer came: then it may have taken effect at any time since, or not at all.
    package var returned: Int64
    package var input: Input
    package var output: Output

    package static var never: Int64 { .max }

    package init(called: Int64, returned: Int64, _ input: Input, _ output: Output) {
        self.called = called
        self.returned = returned
        self.input = input
        self.output = output
    }
}
