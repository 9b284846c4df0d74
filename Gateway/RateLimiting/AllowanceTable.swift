// What many clients have used up of many rules, in a fixed amount of memory.
import Glibc

/// One row of arrival times for each client, in buckets of eight. A full bucket forgets the client whose allowances are
/// all back soonest; a forgotten client starts with a full burst, so forgetting errs towards letting in.
///
/// A bucket is one run of ten cache lines: the marks of its clients, the latest arrival time of each, then their rows. A
/// look-up touches three of them on one page. Memory is asked for once and taken by the kernel page by page as clients come.
package struct AllowanceTable: ~Copyable {
    package static let ways = 8
    package static let capacityMax = 1 << 22
    /// Arrival times of a row.
    package static let cellCount = 8
    /// What one client takes of memory, in bytes.
    package static let bytesPerClient = 8 * (2 + cellCount)
    private static let bucketWords = ways * (2 + cellCount)
    private static let alignment = 128

    private let memory: UnsafeMutableRawPointer
    private let words: UnsafeMutablePointer<Int64>
    package let capacity: Int
    private let bucketMask: UInt64
    /// How often a client with something to remember was forgotten.
    package private(set) var evictions = 0

    /// Where a client is: its bucket's first word, and its place in the bucket.
    struct Slot {
        fileprivate let bucket: Int
        fileprivate let way: Int
        fileprivate var row: Int { bucket + ways * 2 + way * cellCount }
    }

    /// - Parameter capacity: rounded up to a power of two, 8 to `capacityMax`.
    package init(capacity: Int) {
        var size = Self.ways
        while size < min(capacity, Self.capacityMax) { size *= 2 }
        self.capacity = size
        bucketMask = UInt64(size / Self.ways - 1)
        guard let memory = calloc(size * Self.bytesPerClient + Self.alignment, 1) else {
            preconditionFailure("no memory for a table of \(size) clients")
        }
        self.memory = memory
        let start = memory.alignedUp(toMultipleOf: Self.alignment)
        words = start.bindMemory(to: Int64.self, capacity: size * (2 + Self.cellCount))
    }

    deinit { free(memory) }

    package var bytes: Int { capacity * Self.bytesPerClient }

    /// The slot of a client; nil for one that is not remembered.
    @inline(__always)
    func find(_ mark: ClientMark) -> Slot? {
        let start = bucket(of: mark)
        let wanted = Int64(bitPattern: mark.bits)
        for way in 0..<Self.ways where words[start + way] == wanted { return Slot(bucket: start, way: way) }
        return nil
    }

    /// A slot for a client that has none: a free one, else that of the client with least to remember.
    mutating func settle(_ mark: ClientMark, atNS nowNS: Int64) -> Slot {
        let start = bucket(of: mark)
        let latest = start + Self.ways
        var victim = 0
        for way in 0..<Self.ways {
            if words[start + way] == 0 {
                victim = way
                break
            }
            if words[latest + way] < words[latest + victim] { victim = way }
        }
        if words[start + victim] != 0, words[latest + victim] > nowNS { evictions += 1 }
        words[start + victim] = Int64(bitPattern: mark.bits)
        words[latest + victim] = 0
        let slot = Slot(bucket: start, way: victim)
        clear(slot)
        return slot
    }

    mutating func clear(_ slot: Slot) {
        (words + slot.row).update(repeating: 0, count: Self.cellCount)
    }

    @inline(__always)
    func arrival(_ slot: Slot, _ cell: Int) -> Int64 { words[slot.row + cell] }

    @inline(__always)
    mutating func set(_ slot: Slot, _ cell: Int, _ arrivalNS: Int64) {
        words[slot.row + cell] = arrivalNS
        let latest = slot.bucket + Self.ways + slot.way
        if words[latest] < arrivalNS { words[latest] = arrivalNS }
    }

    @inline(__always)
    private func bucket(of mark: ClientMark) -> Int { Int(mark.bits & bucketMask) &* Self.bucketWords }
}
