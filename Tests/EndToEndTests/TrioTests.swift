import Foundation
import Testing

/// The twelve invariants of a waiting room, each over three gateway processes on one Redis, in rooms of each order.
@Suite(.serialized) struct TrioTests {

    private func evidence(_ order: TrioEvidence.Order) async throws -> TrioEvidence {
        try await TrioRuns.shared.evidence(of: order)
    }

    @Test(arguments: TrioEvidence.Order.allCases)
    func `invariant 1: a visitor has one place at a time, however often and wherever it joins`(
        order: TrioEvidence.Order
    ) async throws {
        let joins = try await evidence(order).facts.joins
        let lives = Dictionary(grouping: joins) { "\($0.visitor)/\($0.life)" }
        #expect(lives.count >= TrioEvidence.visitors)
        for (life, joins) in lives {
            #expect(Set(joins.map(\.number)).count == 1, "\(life) got \(joins.map(\.number))")
            #expect(joins.count { $0.isNew } == 1, "\(life) was told \(joins.map(\.isNew))")
        }
    }

    @Test(arguments: TrioEvidence.Order.allCases)
    func `invariant 2: no two places share a number, and gaps are counted`(order: TrioEvidence.Order) async throws {
        let evidence = try await evidence(order)
        let new = evidence.facts.joins.filter(\.isNew).map(\.number)
        #expect(Set(new).count == new.count)
        let last = evidence.facts.tokens.keys.max() ?? 0
        // No store was lost, so there is no gap.
        #expect(evidence.facts.tokens.keys.sorted() == Array(1...last))
    }

    @Test(arguments: TrioEvidence.Order.allCases)
    func `invariant 3: cursor, epoch, log and checkpoint never go back, and fit each other`(order: TrioEvidence.Order)
        async throws
    {
        let evidence = try await evidence(order)
        for samples in evidence.facts.samples {
            #expect(samples.count > 10)
            for (one, next) in zip(samples, samples.dropFirst()) {
                #expect(next.cursor >= one.cursor && next.epoch >= one.epoch)
                #expect(next.lastNumber >= one.lastNumber && next.signed >= one.signed)
                #expect(next.cursor <= next.lastNumber)
            }
        }
        // Each checkpoint is the start of every later one, by what each gateway publishes.
        for audit in evidence.audits { #expect(audit.output.contains("ok    tree"), "\(audit.output)") }
    }

    @Test(arguments: TrioEvidence.Order.allCases)
    func `invariant 4: in no window were more let in than its pace and the burst`(order: TrioEvidence.Order)
        async throws
    {
        let times = try await evidence(order).grants.filter { $0.kind == "grant" }.map(\.at)
        #expect(times.count > 40)
        let burst = Double(TrioEvidence.perMinute) / 60
        for first in times.indices {
            for last in first..<times.count {
                let allowed = burst + Double(times[last] - times[first] + 1) * Double(TrioEvidence.perMinute) / 60_000
                #expect(Double(last - first + 1) <= allowed + 1e-6, "passes \(first) to \(last)")
            }
        }
    }

    @Test(arguments: TrioEvidence.Order.allCases)
    func `invariant 5: never were more passes live than the cap, and the stores agree`(order: TrioEvidence.Order)
        async throws
    {
        let evidence = try await evidence(order)
        var live: [String: Int] = [:]
        var most = 0
        for grant in evidence.grants {
            live = live.filter { $0.value > grant.at }
            live[grant.pass] = grant.kind == "end" ? nil : grant.expiry
            most = max(most, live.count)
        }
        #expect(most > 0 && most <= TrioEvidence.activeMax, "\(most) were live at once")
        #expect(evidence.check.status == 0, "\(evidence.check.output)")
    }

    @Test(arguments: TrioEvidence.Order.allCases)
    func `invariant 6: a place is let in once, wherever it claims`(order: TrioEvidence.Order) async throws {
        let evidence = try await evidence(order)
        let passes = Dictionary(grouping: evidence.facts.passes) { $0.number }
        #expect(passes.count > 40)
        for (number, passes) in passes {
            #expect(Set(passes.map(\.id)).count == 1, "number \(number) got \(passes.map(\.id))")
        }
        let ids = evidence.grants.filter { $0.kind == "grant" }.map(\.pass)
        #expect(Set(ids) == Set(evidence.facts.passes.map(\.id)) && Set(ids).count == ids.count)
    }

    @Test(arguments: TrioEvidence.Order.allCases)
    func `invariant 7: a place has the same bytes at all three from one snapshot`(order: TrioEvidence.Order)
        async throws
    {
        let bodies = try await evidence(order).bodies
        try #require(bodies.count == 3, "the three never had one snapshot")
        #expect(bodies[0].count == 16)
        #expect(bodies[1] == bodies[0] && bodies[2] == bodies[0])
    }

    @Test(arguments: TrioEvidence.Order.allCases)
    func `invariant 8: the order is one permutation, the same at all three and in the audit`(order: TrioEvidence.Order)
        async throws
    {
        let evidence = try await evidence(order)
        let ranks = evidence.ranks[0]
        #expect(ranks.count == evidence.facts.tokens.count)
        #expect(Set(ranks.values) == Set(ranks.keys))
        #expect(evidence.ranks[1] == ranks && evidence.ranks[2] == ranks)
        if order == .firstCome { #expect(ranks.allSatisfy { $0.key == $0.value }) }
        if order == .lottery {
            let cohort = try #require(evidence.cohort)
            #expect(
                ranks.contains { $0.key != $0.value } && ranks.allSatisfy { $0.key <= cohort || $0.key == $0.value }
            )
            #expect(Set(evidence.draws).count == 1, "\(evidence.draws)")
        }
        #expect(evidence.audits.count == 3)
        for audit in evidence.audits { #expect(audit.status == 0, "\(audit.output)") }
        #expect(evidence.tamperedStatus == 1)
    }

    @Test func `invariant 9: who was answered before the seal is in the draw, who joined after it is not`() async throws
    {
        let evidence = try await evidence(.lottery)
        let cohort = try #require(evidence.cohort)
        let sealed = try #require(evidence.sealedAt)
        let new = evidence.facts.joins.filter(\.isNew)
        let (before, after) = (new.filter { $0.answeredAt < sealed }, new.filter { $0.sentAt > sealed })
        #expect(before.count > 10 && after.count > 10)
        #expect(before.allSatisfy { $0.number <= cohort } && after.allSatisfy { $0.number > cohort })
    }

    @Test(arguments: TrioEvidence.Order.allCases)
    func `invariant 10: a place is good at each gateway, after a restart too, and a changed one at none`(
        order: TrioEvidence.Order
    ) async throws {
        let verdicts = try await evidence(order).verdicts
        #expect(verdicts.before == [200, 200, 200] && verdicts.after == [200, 200, 200])
        #expect(verdicts.altered == [401, 401, 401])
    }

    @Test(arguments: TrioEvidence.Order.allCases)
    func `invariant 11: a change of the policy moves nobody who waits`(order: TrioEvidence.Order) async throws {
        let evidence = try await evidence(order)
        #expect(evidence.changed.allowed == 200 && evidence.changed.refused == 409)
        #expect(!evidence.ranksBeforeChange.isEmpty)
        for ranks in evidence.ranks { #expect(ranks == evidence.ranksBeforeChange) }
    }

    @Test(arguments: TrioEvidence.Order.allCases)
    func `invariant 12: who polls as told is never refused`(order: TrioEvidence.Order) async throws {
        let facts = try await evidence(order).facts
        #expect((facts.polls[200] ?? 0) > 50)
        #expect(
            facts.polls.keys.allSatisfy { $0 == 200 } && facts.refusals[429] == nil,
            "\(facts.polls) \(facts.refusals)"
        )
    }

    /// A's join was answered before B's was sent, and yet A's number is higher.
    @Test(arguments: TrioEvidence.Order.allCases)
    func `no number is out of the order of arrival, at whichever gateways people join`(order: TrioEvidence.Order)
        async throws
    {
        let joins = try await evidence(order).facts.joins.filter(\.isNew)
        var inversions = 0
        for one in joins {
            inversions += joins.count { one.answeredAt < $0.sentAt && one.number > $0.number }
        }
        #expect(inversions == 0)
    }
}
