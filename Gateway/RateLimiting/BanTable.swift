/// Banned addresses, and those lately banned, in a fixed amount of memory: buckets of eight, a full one forgets the
/// lowest level, of these the earliest end.
struct BanTable: ~Copyable {
    /// Bans that wait to be told to the others; further ones stay known here only.
    static let freshMax = 1024

    private struct Slot {
        var mark: UInt64 = 0
        var endNS: Int64 = 0
        var level: Int = 0
    }

    let policy: BanPolicy?
    private var slots: [Slot]
    private let bucketMask: UInt64
    private var fresh: [FreshBan] = []
    /// No ban ends later: after it nobody is looked up.
    private var lastEndNS: Int64 = 0

    init(policy: BanPolicy?, capacity: Int) {
        var size = AllowanceTable.ways
        while size < min(capacity, BanPolicy.addressesMax) { size *= 2 }
        slots = [Slot](repeating: Slot(), count: size)
        bucketMask = UInt64(size / AllowanceTable.ways - 1)
        self.policy = policy
    }

    var bytes: Int { slots.count * MemoryLayout<Slot>.stride }

    /// Addresses with a level, banned at the moment or not.
    var count: Int { slots.count { $0.mark != 0 } }

    /// When the ban of an address ends; nil when there is none.
    @inline(__always)
    func end(_ mark: ClientMark, atNS nowNS: Int64) -> Int64? {
        guard nowNS < lastEndNS, let index = find(mark), nowNS < slots[index].endNS else { return nil }
        return slots[index].endNS
    }

    /// Bans an address one level above what is left of its past.
    /// - Returns: the end.
    mutating func begin(_ key: LimitKey, _ mark: ClientMark, rule: UInt8, atNS nowNS: Int64) -> Int64 {
        guard let policy else { return nowNS }
        let past = find(mark).map { policy.level(after: slots[$0].level, endedNS: slots[$0].endNS, atNS: nowNS) } ?? 0
        let level = min(past + 1, policy.lengths.count)
        let endNS = nowNS + policy.lengthNS(level: level)
        learn(mark, level: level, endNS: endNS, atNS: nowNS)
        if fresh.count < Self.freshMax {
            fresh.append(
                FreshBan(
                    key: key,
                    level: level,
                    lengthNS: endNS - nowNS,
                    memoryNS: policy.memoryNS(level: level),
                    rule: rule
                )
            )
        }
        return endNS
    }

    mutating func learn(_ mark: ClientMark, level: Int, endNS: Int64, atNS nowNS: Int64) {
        // A store cannot ban for longer than the longest ban there is.
        let endNS = min(endNS, nowNS + Int64(BanPolicy.lengthSecondsMax) * 1_000_000_000)
        if let index = find(mark) {
            guard endNS >= slots[index].endNS else { return }
            slots[index].level = level
            slots[index].endNS = endNS
        } else {
            slots[victim(mark)] = Slot(mark: mark.bits, endNS: endNS, level: level)
        }
        lastEndNS = max(lastEndNS, endNS)
    }

    mutating func lift(_ mark: ClientMark) {
        if let index = find(mark) { slots[index] = Slot() }
    }

    mutating func takeFresh() -> [FreshBan] {
        let taken = fresh
        fresh = []
        return taken
    }

    private func find(_ mark: ClientMark) -> Int? {
        let start = Int(mark.bits & bucketMask) * AllowanceTable.ways
        return (start..<(start + AllowanceTable.ways)).first { slots[$0].mark == mark.bits }
    }

    private func victim(_ mark: ClientMark) -> Int {
        let start = Int(mark.bits & bucketMask) * AllowanceTable.ways
        var victim = start
        for index in start..<(start + AllowanceTable.ways) {
            if slots[index].mark == 0 { return index }
            let (one, other) = (slots[index], slots[victim])
            if (one.level, one.endNS) < (other.level, other.endNS) { victim = index }
        }
        return victim
    }
}
