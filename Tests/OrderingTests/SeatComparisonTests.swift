import Ordering
import Testing

@Suite struct SeatComparisonTests {
    private static let (order, hold, account) = (
        OrderID(high: 1, low: 1), HoldID(high: 2, low: 2), AccountID(high: 3, low: 3)
    )

    private static func claim(_ state: SessionInventory.Claim.State?) -> [SessionInventory.Claim] {
        guard let state else { return [] }
        let isBlocked = state == .blocked
        return [
            .init(
                seat: 0,
                state: state,
                order: isBlocked ? nil : order,
                hold: isBlocked ? nil : hold,
                account: isBlocked ? nil : account,
                deadline: state == .pending ? Moment(milliseconds: 9) : nil
            )
        ]
    }

    /// Every claim beside every letter: what is wrong, and what is done about it.
    @Test(
        arguments: [
            (nil, "F", nil), (nil, "H", nil), (nil, "P", .mendFree), (nil, "S", .mendFree), (nil, "B", .mendFree),
            (.pending, "F", .project), (.pending, "H", nil), (.pending, "P", nil), (.pending, "S", .project),
            (.pending, "B", .mendFree), (.sold, "F", .project), (.sold, "H", .project), (.sold, "P", .project),
            (.sold, "S", nil), (.sold, "B", .mendFree), (.blocked, "F", .mendBlocked), (.blocked, "H", .mendBlocked),
            (.blocked, "P", .mendBlocked), (.blocked, "S", .mendBlocked), (.blocked, "B", nil),
        ] as [(SessionInventory.Claim.State?, Character, SeatComparison.Mismatch.Cure?)]
    )
    func `a seat is right, or has one cure`(
        claim: SessionInventory.Claim.State?,
        letter: Character,
        cure: SeatComparison.Mismatch.Cure?
    ) {
        let shown: Character = letter == "P" ? "H" : letter
        let standing = SeatStanding(epoch: 1, ordered: letter == "P" ? [0] : [], letters: [shown.asciiValue ?? 0])
        let comparison = SeatComparison(standing, Self.claim(claim))
        #expect(comparison.mismatches.map(\.cure) == (cure.map { [$0] } ?? []))
    }

    @Test func `only what is found twice in the same way is believed`() {
        let sold = Self.claim(.sold)
        let once = SeatComparison(.init(epoch: 1, ordered: [], letters: [UInt8(ascii: "H")]), sold)
        let other = SeatComparison(.init(epoch: 1, ordered: [], letters: [UInt8(ascii: "F")]), sold)
        #expect(once.confirmed(by: other).mismatches.isEmpty)
        #expect(once.confirmed(by: once) == once && !once.mismatches.isEmpty)
    }

    @Test func `orders are shown again as they stand`() {
        let session = SessionID(high: 7, low: 7)
        for (state, outcome) in [
            (.sold, .sold), (.pending, .pinned(until: Moment(milliseconds: 9))),
        ] as [(SessionInventory.Claim.State, SeatProjection.Outcome)] {
            let claims = Self.claim(state)
            let comparison = SeatComparison(.init(epoch: 1, ordered: [], letters: [UInt8(ascii: "F")]), claims)
            let projections = comparison.projections(claims, of: session)
            #expect(
                projections == [
                    SeatProjection(
                        position: 0,
                        session: session,
                        order: Self.order,
                        hold: Self.hold,
                        account: Self.account,
                        seats: [0],
                        outcome: outcome
                    )
                ]
            )
        }
    }
}
