import Ordering
import Testing

@Suite struct WaitlistStateTests {
    @Test func `a party moves only as the table says`() {
        let legal: [(WaitlistState, WaitlistState.Event, WaitlistState)] = [
            (.waiting, .offered, .offered), (.waiting, .cancelled, .cancelled), (.offered, .cancelled, .cancelled),
            (.offered, .bought, .purchased), (.offered, .declined, .declined), (.offered, .offerEnded, .offerExpired),
        ]
        for state in WaitlistState.allCases {
            for event in WaitlistState.Event.allCases {
                let wanted = legal.first { $0.0 == state && $0.1 == event }?.2
                #expect(state.after(event) == wanted, "\(state) \(event)")
            }
            #expect(state.isFinal == (state != .waiting && state != .offered))
        }
    }

    @Test func `a wish is tried on seats, then on each area`() {
        let layout = SessionLayout(sections: [
            .init(name: "A", area: "Front", price: Money(1, "EUR"), rows: [.init(label: "1", first: 1, count: 3)]),
            .init(name: "B", area: "Back", price: Money(1, "EUR"), rows: [.init(label: "1", first: 1, count: 3)]),
            .init(name: "F", area: "Floor", price: Money(1, "EUR"), places: 9),
        ])
        func tried(_ areas: [String], accessible: Bool = false) -> [SeatSelection] {
            PartyWish(size: 2, areas: areas, isTogether: true, isAccessible: accessible).selections(in: layout)
        }
        let floor = SeatSelection.areas([.init(section: 2, quantity: 2)])
        #expect(tried([]) == [.best(.init(quantity: 2, isTogether: true)), floor])
        #expect(tried(["Back"]) == [.best(.init(quantity: 2, sections: [1], isTogether: true))])
        #expect(tried(["Floor"]) == [floor])
        #expect(tried([], accessible: true) == [.best(.init(quantity: 2, isTogether: true, isAccessible: true))])
        #expect(tried(["Floor"], accessible: true).isEmpty)
    }
}
