import Foundation
import Ordering
import Testing
import UsherAPI

@testable import BookingServer

/// What a request for seats may say (T35).
@Suite struct SeatWishTests {
    private static let layout = SessionLayout(sections: [
        .init(
            name: "A",
            area: "Front",
            price: Money(1, "EUR"),
            rows: [.init(label: "1", first: 1, count: 4, accessible: [3])]
        ),
        .init(name: "F", area: "Floor", price: Money(1, "EUR"), places: 99),
    ])
    private static let session = Session(
        id: SessionID(high: 1, low: 1),
        show: ShowID(high: 1, low: 2),
        title: "",
        startsAt: Moment(milliseconds: 0),
        state: .onSale,
        room: nil,
        limitPerBuyer: 4,
        currency: "EUR",
        payWindow: .seconds(1),
        epoch: 1
    )

    private static func wish(_ json: String) throws -> SeatSelection {
        let request = try JSONDecoder().decode(SeatsRequest.self, from: Data(json.utf8))
        return try SeatWish(request, in: session, layout).selection
    }

    @Test(
        arguments: [
            (#"{"seats":["A-1-2","A-1-1"]}"#, .named([0, 1], leavesNoOrphan: true)),
            (#"{"seats":["A-1-4"],"accessible":true}"#, .named([3], leavesNoOrphan: false)),
            (#"{"best":{"quantity":3}}"#, .best(.init(quantity: 3))),
            (
                #"{"best":{"quantity":50,"area":"Front","mode":"partial","together":true,"accessible":true}}"#,
                .best(.init(quantity: 50, sections: [0], isPartial: true, isTogether: true, isAccessible: true))
            ),
            (#"{"areas":[{"section":"F","quantity":2}]}"#, .areas([.init(section: 1, quantity: 2)])),
        ] as [(String, SeatSelection)]
    )
    func `a sound request is understood`(json: String, selection: SeatSelection) throws {
        #expect(try Self.wish(json) == selection)
    }

    @Test(arguments: [
        #"{}"#, #"{"seats":[]}"#, #"{"seats":["A-1-1","A-1-1"]}"#, #"{"seats":["B-1-1"]}"#, #"{"seats":["A-1-5"]}"#,
        #"{"seats":[""]}"#, "{\"seats\":[\"A-1-1\\u0000\"]}", "{\"seats\":[\"\\u202eA-1-1\"]}", #"{"seats":["a-1-1"]}"#,
        #"{"seats":["A-1-1"],"best":{"quantity":1}}"#, #"{"best":{"quantity":0}}"#, #"{"best":{"quantity":-1}}"#,
        #"{"best":{"quantity":51}}"#, #"{"best":{"quantity":1000000000}}"#, #"{"best":{"quantity":1,"mode":"most"}}"#,
        #"{"best":{"quantity":1,"sections":[]}}"#, #"{"best":{"quantity":1,"sections":["F"]}}"#,
        #"{"best":{"quantity":1,"sections":["Z"]}}"#, #"{"best":{"quantity":1,"area":"Floor"}}"#,
        #"{"best":{"quantity":1,"area":"Front","sections":["A"]}}"#, #"{"areas":[]}"#,
        #"{"areas":[{"section":"A","quantity":1}]}"#, #"{"areas":[{"section":"F","quantity":0}]}"#,
        #"{"areas":[{"section":"F","quantity":1},{"section":"F","quantity":1}]}"#,
    ])
    func `anything else is refused as invalid`(json: String) {
        let failure = #expect(throws: Refusal.self) { try Self.wish(json) }
        #expect(failure?.problem.code == .validationFailed)
    }

    @Test func `an accessible seat has to be asked for as such`() {
        let failure = #expect(throws: Refusal.self) { try Self.wish(#"{"seats":["A-1-3","A-1-4"]}"#) }
        #expect(failure?.problem.code == .accessibleOnly)
    }
}
