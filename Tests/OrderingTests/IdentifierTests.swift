import Ordering
import Testing

@Suite struct IdentifierTests {
    @Test(arguments: [
        (UInt64.min, UInt64.min), (.max, .max), (0x0190_1234_5678_7abc, 0x8def_0123_4567_89ab), (1, 1 << 63),
    ])
    func `an identifier survives its text and its bytes`(high: UInt64, low: UInt64) {
        let id = OrderID(high: high, low: low)
        #expect(OrderID("\(id)") == id)
        #expect(OrderID(bytes: id.bytes) == id)
        #expect("\(id)".count == 30)
    }

    @Test(arguments: [
        "", "ord_", "ses_00000000000000000000000000", "ord_0000000000000000000000000",
        "ord_000000000000000000000000000", "ord_0000000000000000000000000u", "ord_80000000000000000000000000",
        "ord_0000000000000000000000000A", "ord-00000000000000000000000000",
    ])
    func `anything else is no identifier`(text: String) {
        #expect(OrderID(text) == nil)
    }

    @Test func `a layout names each seat once and finds its byte`() {
        let layout = SessionLayout(sections: [
            .init(
                name: "VIP",
                area: "Front",
                price: Money(9000, "EUR"),
                rows: [.init(label: "A", first: 1, count: 3), .init(label: "B", first: 5, count: 2)]
            ),
            .init(name: "MAIN", area: "Hall", price: Money(5000, "EUR"), rows: [.init(label: "A", first: 1, count: 2)]),
        ])
        #expect(layout.seatCount == 7)
        #expect(
            (0..<7).map { layout.name(of: $0) } == [
                "VIP-A-1", "VIP-A-2", "VIP-A-3", "VIP-B-5", "VIP-B-6", "MAIN-A-1", "MAIN-A-2",
            ]
        )
        #expect((0..<7).allSatisfy { layout.seat(named: layout.name(of: $0)) == $0 })
        #expect(layout.spot(of: 3) == .init(section: 0, offset: 4))
        #expect(layout.spot(of: 6) == .init(section: 1, offset: 1))
        #expect(layout.emptyString(ofSection: 0) == "FFF|FF|")
        #expect(layout.price(of: 5) == Money(5000, "EUR"))
        #expect(layout.seat(named: "VIP-A-4") == nil)
    }
}
