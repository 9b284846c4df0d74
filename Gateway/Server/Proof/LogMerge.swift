// What holds when the store and a gateway have different entries under the same numbers: after a loss of the store.
import Fairness

struct LogMerge: Equatable {
    /// What the gateway should have.
    var entries: [UInt8]
    /// Whether that is something else than it had.
    var isChanged = false
    /// Entries the store has forgotten, and from which to which index.
    var lost = 0
    var lostIndices: ClosedRange<Int>?
    /// The first entry that was signed and that the store has differently, by index.
    var conflict: Int?

    /// `ours` begins at index `first`; `theirs` may be shorter. What was signed stays as it was. Beyond that an entry
    /// stands over none, and of two the store's.
    init(ours: [UInt8], theirs: [UInt8], first: Int, signed: Int) {
        entries = ours
        guard ours != theirs else { return }
        let length = ArrivalEntry.length
        let void = [UInt8](repeating: 0, count: length)
        for offset in stride(from: 0, to: ours.count, by: length) {
            let index = first + offset / length
            let our = ours[offset..<(offset + length)]
            let their = offset + length <= theirs.count ? theirs[offset..<(offset + length)] : void[...]
            guard !our.elementsEqual(their) else { continue }
            if their.elementsEqual(void) {
                lost += 1
                lostIndices = (lostIndices?.lowerBound ?? index)...index
            } else if index >= signed {
                entries.replaceSubrange(offset..<(offset + length), with: their)
                isChanged = true
            } else if !our.elementsEqual(void), conflict == nil {
                conflict = index
            }
        }
    }
}
