import GatewayServer
import NIOCore
import Testing

struct UpstreamRosterTests {
    private static func at(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(1) + .seconds(seconds) }

    private static func roster(_ count: Int) -> UpstreamRoster {
        var rule = EjectionRule()
        rule.failures = 3
        rule.time = .seconds(5)
        rule.timeMax = .seconds(12)
        return UpstreamRoster(count: count, rule: rule)
    }

    private static func eject(_ index: Int, _ roster: inout UpstreamRoster, at now: Int64) {
        while roster.members[index].ejectedUntil == nil { roster.failed(index, at: at(now)) }
    }

    @Test(arguments: [([0, 0, 0], 3), ([2, 1, 2], 1), ([1, 5, 1], 2), ([9, 9, 8], 1)])
    func `the one with the fewest requests under way is chosen, equals take turns`(
        _ outstanding: [Int],
        _ differentCount: Int
    ) {
        var roster = Self.roster(3)
        for (index, count) in outstanding.enumerated() {
            for _ in 0..<count { roster.began(index) }
        }
        let chosen = (0..<6).map { _ in roster.choose() }
        #expect(Set(chosen).count == differentCount)
        #expect(chosen.allSatisfy { outstanding[$0] == outstanding.min() })
    }

    @Test func `requests that end make room again`() {
        var roster = Self.roster(2)
        roster.began(0)
        #expect((0..<4).allSatisfy { _ in roster.choose() == 1 })
        roster.began(1)
        roster.ended(0)
        #expect((0..<4).allSatisfy { _ in roster.choose() == 0 })
    }

    @Test func `failures in a row eject, a success between them does not`() {
        var roster = Self.roster(3)
        let steady = [roster.failed(1, at: Self.at(0)), roster.failed(1, at: Self.at(0))]
        roster.succeeded(1)
        let again = [roster.failed(1, at: Self.at(0)), roster.failed(1, at: Self.at(0))]
        #expect(!steady.contains(true) && !again.contains(true))
        #expect(roster.members[1].isWell)
        let last = roster.failed(1, at: Self.at(0))
        #expect(last)
        #expect(!roster.members[1].isWell)
        #expect((0..<9).allSatisfy { _ in roster.choose() != 1 })
    }

    @Test func `each ejection is longer than the last, up to a bound, and good conduct is rewarded`() {
        var roster = Self.roster(3)
        var now: Int64 = 0
        for seconds in [5, 10, 12, 12] as [Int64] {
            Self.eject(1, &roster, at: now)
            #expect(roster.members[1].ejectedUntil == Self.at(now + seconds))
            roster.pass(to: Self.at(now + seconds - 1))
            #expect(!roster.members[1].isWell)
            now += seconds
            roster.pass(to: Self.at(now))
            #expect(roster.members[1].isWell)
        }
        roster.succeeded(1)
        roster.pass(to: Self.at(now + 12))
        Self.eject(1, &roster, at: now + 12)
        #expect(roster.members[1].ejectedUntil == Self.at(now + 17))
    }

    @Test func `whoever comes back is on probation`() {
        var roster = Self.roster(3)
        Self.eject(1, &roster, at: 0)
        roster.pass(to: Self.at(5))
        let isEjected = roster.failed(1, at: Self.at(6))
        #expect(isEjected)
    }

    @Test(arguments: [
        (1, [0], false), (2, [0], false), (2, [0, 1], true), (3, [0], false), (3, [0, 1], true), (4, [0, 1], false),
        (4, [0, 1, 2], true),
    ])
    func `when fewer than half are well, all are used`(_ count: Int, _ failing: [Int], _ isPanicking: Bool) {
        var roster = Self.roster(count)
        for index in failing {
            for _ in 0..<3 { roster.failed(index, at: Self.at(0)) }
        }
        #expect(roster.isPanicking == isPanicking)
        let chosen = Set((0..<count * 4).map { _ in roster.choose() })
        let well = Set(0..<count).subtracting(failing)
        #expect(chosen == (isPanicking || count == 1 ? Set(0..<count) : well))
    }

    @Test func `checks take three bad ones to put a service down and two good ones to bring it back`() {
        var roster = Self.roster(3)
        let seen = [false, false, true, false, false, false, true, false, true, true].map { isGood in
            roster.checked(2, isGood: isGood)
            return roster.members[2].isUp
        }
        #expect(seen == [true, true, true, true, true, false, false, false, false, true])
    }

    @Test func `the one that has just failed a request is avoided while there is another`() {
        var roster = Self.roster(2)
        for _ in 0..<5 { roster.began(1) }
        #expect((0..<4).allSatisfy { _ in roster.choose(avoiding: 0) == 1 })
        Self.eject(1, &roster, at: 0)
        #expect(roster.choose(avoiding: 0) == 1)
        var single = Self.roster(1)
        #expect(single.choose(avoiding: 0) == 0)
    }
}
