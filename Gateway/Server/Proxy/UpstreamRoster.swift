// Which of several services gets the next request. Pure: time comes in, no connection is known.
package import NIOCore

/// Least outstanding requests, over those that are well. A service that fails `EjectionRule.failures` times in a row is
/// ejected for a while, longer each time (as Envoy's outlier detection does); after that one more failure ejects it
/// again, one success clears it. Panic rule: when fewer than half of them are well, the bad news is not believed and
/// all are used, so the last one is never out.
package struct UpstreamRoster: Sendable {
    package struct Member: Sendable, Equatable {
        package fileprivate(set) var outstanding = 0
        /// In a row.
        package fileprivate(set) var failures = 0
        package fileprivate(set) var ejections = 0
        package fileprivate(set) var ejectedUntil: NIODeadline?
        package fileprivate(set) var isUp = true
        fileprivate var checksAgainst = 0
        fileprivate var forgivenAt = NIODeadline.distantFuture

        package var isWell: Bool { isUp && ejectedUntil == nil }
    }

    private let rule: EjectionRule
    package private(set) var members: [Member]
    /// Where the next look begins, so that equals take turns.
    private var turn = 0
    private var wellCount: Int

    package init(count: Int, rule: EjectionRule) {
        self.rule = rule
        members = Array(repeating: Member(), count: max(1, count))
        wellCount = members.count
    }

    package var isPanicking: Bool { wellCount * 2 < members.count }

    /// `avoided` has just failed this request; it is taken only when there is no other.
    package mutating func choose(avoiding avoided: Int? = nil) -> Int {
        guard members.count > 1 else { return 0 }
        turn = (turn + 1) % members.count
        return least(avoiding: avoided, isPanicking: isPanicking) ?? least(avoiding: avoided, isPanicking: true)
            ?? avoided ?? 0
    }

    private func least(avoiding avoided: Int?, isPanicking: Bool) -> Int? {
        var best: Int?
        for step in members.indices {
            let index = (turn + step) % members.count
            guard index != avoided, isPanicking || members[index].isWell else { continue }
            if let known = best, members[known].outstanding <= members[index].outstanding { continue }
            best = index
        }
        return best
    }

    package mutating func began(_ index: Int) { members[index].outstanding += 1 }

    package mutating func ended(_ index: Int) { members[index].outstanding -= 1 }

    package mutating func succeeded(_ index: Int) { members[index].failures = 0 }

    /// - Returns: whether this ejected it.
    @discardableResult
    package mutating func failed(_ index: Int, at now: NIODeadline) -> Bool {
        guard members.count > 1, members[index].ejectedUntil == nil else { return false }
        members[index].failures += 1
        guard members[index].failures >= rule.failures else { return false }
        members[index].ejections += 1
        let time = min(rule.timeMax.nanoseconds, rule.time.nanoseconds * Int64(members[index].ejections))
        members[index].ejectedUntil = now + .nanoseconds(time)
        count()
        return true
    }

    /// A check has ended.
    package mutating func checked(_ index: Int, isGood: Bool) {
        guard members[index].isUp != isGood else {
            members[index].checksAgainst = 0
            return
        }
        members[index].checksAgainst += 1
        guard members[index].checksAgainst >= (isGood ? rule.checksUp : rule.checksDown) else { return }
        members[index].isUp = isGood
        members[index].checksAgainst = 0
        count()
    }

    /// Lets those whose time is over have another try; call it a few times a second.
    package mutating func pass(to now: NIODeadline) {
        for index in members.indices where members[index].ejections > 0 {
            if let end = members[index].ejectedUntil, end <= now {
                members[index].ejectedUntil = nil
                members[index].failures = rule.failures - 1
                members[index].forgivenAt = end + rule.timeMax
                count()
            } else if members[index].ejectedUntil == nil, members[index].forgivenAt <= now {
                members[index].ejections = 0
            }
        }
    }

    private mutating func count() {
        wellCount = members.count { $0.isWell }
    }
}
