import Ordering
import Testing

@Suite struct OrderBacklogTests {
    private static let session = SessionID(high: 1, low: 1)
    private static let elsewhere = SessionID(high: 1, low: 2)

    private static func order(
        _ number: UInt64,
        by buyer: UInt64,
        _ seats: [SeatNumber],
        in session: SessionID = session
    ) -> WaitingOrder {
        WaitingOrder(
            id: OrderID(high: 2, low: number),
            session: session,
            account: AccountID(high: 3, low: buyer),
            seats: seats
        )
    }

    @Test(
        arguments: [
            ("nobody waits", [], []),
            ("all have seats of their own", [order(1, by: 1, [0]), order(2, by: 2, [1, 2])], [1, 2]),
            ("two want a seat: the older one first", [order(1, by: 1, [0, 1]), order(2, by: 2, [1, 2])], [1]),
            ("a buyer once", [order(1, by: 1, [0]), order(2, by: 1, [1]), order(3, by: 2, [2])], [1, 3]),
            (
                "the same seat and buyer in another session",
                [order(1, by: 1, [0]), order(2, by: 1, [0], in: elsewhere)], [1, 2]
            ),
            (
                "nobody goes past one that stays behind",
                [order(1, by: 1, [0]), order(2, by: 2, [0, 1]), order(3, by: 3, [1]), order(4, by: 2, [5])], [1]
            ),
        ] as [(String, [WaitingOrder], [UInt64])]
    )
    func `orders are decided together that cannot be in each other's way`(
        name: String,
        waiting: [WaitingOrder],
        expected: [UInt64]
    ) {
        let ids = WaitingOrder.decidableTogether(waiting).map(\.id)
        #expect(ids == expected.map { OrderID(high: 2, low: $0) }, "\(name)")
    }
}
