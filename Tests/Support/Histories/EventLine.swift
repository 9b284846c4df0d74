/// Calls and returns in order of time, as a list that operations are lifted out of and put back into in reverse order.
struct EventLine {
    /// Event i is followed by `following[i]`; the last element is the head. -1 is the end.
    private var following: [Int]
    private var preceding: [Int]
    private let operations: [Int]
    private let isCalls: [Bool]
    private let calls: [Int]
    private let returns: [Int]
    private let head: Int

    /// Of two events at one time a call comes first: the operations may have overlapped.
    init(_ spans: [(called: Int64, returned: Int64)]) {
        let marks = spans.enumerated().flatMap { index, span in
            [(time: span.called, isCall: true, index), (time: span.returned, isCall: false, index)]
        }.sorted { ($0.time, $0.isCall ? 0 : 1, $0.2) < ($1.time, $1.isCall ? 0 : 1, $1.2) }
        let count = marks.count
        head = count
        operations = marks.map(\.2)
        isCalls = marks.map(\.isCall)
        following = (0..<count).map { $0 + 1 < count ? $0 + 1 : -1 } + [count > 0 ? 0 : -1]
        preceding = (0..<count).map { $0 > 0 ? $0 - 1 : count } + [-1]
        var (calls, returns) = ([Int](repeating: 0, count: spans.count), [Int](repeating: 0, count: spans.count))
        for (event, mark) in marks.enumerated() {
            if mark.isCall { calls[mark.2] = event } else { returns[mark.2] = event }
        }
        (self.calls, self.returns) = (calls, returns)
    }

    var first: Int? { next(head) }
    func next(_ event: Int) -> Int? { following[event] < 0 ? nil : following[event] }
    func isCall(_ event: Int) -> Bool { isCalls[event] }
    func operation(_ event: Int) -> Int { operations[event] }
    func call(of operation: Int) -> Int { calls[operation] }
    func returned(of operation: Int) -> Int { returns[operation] }

    mutating func lift(_ operation: Int) {
        for event in [calls[operation], returns[operation]] {
            following[preceding[event]] = following[event]
            if following[event] >= 0 { preceding[following[event]] = preceding[event] }
        }
    }

    mutating func putBack(_ operation: Int) {
        for event in [returns[operation], calls[operation]] {
            following[preceding[event]] = event
            if following[event] >= 0 { preceding[following[event]] = event }
        }
    }
}
