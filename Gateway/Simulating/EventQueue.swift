/// What is to happen, earliest first: a binary heap of single numbers (time, member, kind), so that a million visitors
/// cost no allocation each. What happens at the same millisecond comes in order of member.
struct EventQueue {
    enum Kind: UInt64 {
        /// The payment went through: the pass is complete.
        case pay
        /// The pass runs out, or its holder leaves.
        case end
        /// Seats are picked.
        case hold
        case claim
    }

    private static let memberBits: UInt64 = 24
    private static let kindBits: UInt64 = 2
    static let membersMax = 1 << 24
    static let millisecondsMax = Int64(1) << 37

    private var heap: [UInt64] = []

    var isEmpty: Bool { heap.isEmpty }

    mutating func add(_ kind: Kind, _ member: Int, at milliseconds: Int64) {
        let time = UInt64(max(0, min(milliseconds, Self.millisecondsMax)))
        let event = (time << Self.memberBits | UInt64(member)) << Self.kindBits | kind.rawValue
        heap.append(event)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[parent] > event else { break }
            heap[child] = heap[parent]
            child = parent
        }
        heap[child] = event
    }

    /// The first one before the time, taken out.
    mutating func next(before milliseconds: Int64) -> (kind: Kind, member: Int, at: Int64)? {
        guard let first = heap.first else { return nil }
        let time = Int64(first >> (Self.memberBits + Self.kindBits))
        guard time < milliseconds, let kind = Kind(rawValue: first & 3) else { return nil }
        removeFirst()
        return (kind, Int(first >> Self.kindBits & (1 << Self.memberBits - 1)), time)
    }

    private mutating func removeFirst() {
        let moved = heap.removeLast()
        guard !heap.isEmpty else { return }
        var parent = 0
        while true {
            var child = 2 * parent + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
            guard heap[child] < moved else { break }
            heap[parent] = heap[child]
            parent = child
        }
        heap[parent] = moved
    }
}
