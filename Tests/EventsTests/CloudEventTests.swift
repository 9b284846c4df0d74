import Events
import Foundation
import Ordering
import Testing

@Suite struct CloudEventTests {
    private static let uuid = "01890a5d-ac96-774b-bcce-b302099a8057"
    private static let text = "01h455vb4pex5vsknk084sn02q"

    private static func event(_ payload: String, type: String = "order") -> PublishedEvent {
        PublishedEvent(
            OutboxEvent(
                id: EventID(high: 1, low: 2),
                aggregateType: type,
                aggregate: AggregateID(high: 0x0189_0a5d_ac96_774b, low: 0xbcce_b302_099a_8057),
                sequence: 3,
                name: "order.paid",
                payload: payload,
                madeAt: Moment(milliseconds: 0),
                place: .start
            ),
            time: { _ in "1970-01-01T00:00:00.000Z" }
        )
    }

    @Test func `an event has every attribute that CloudEvents 1.0 asks for`() throws {
        let event = Self.event(#"{"state": "paid"}"#)
        let json = try #require(try JSONSerialization.jsonObject(with: Data(event.body.utf8)) as? [String: Any])
        #expect(json["specversion"] as? String == "1.0")
        #expect(json["id"] as? String == event.id)
        #expect(json["source"] as? String == "/usher/booking")
        #expect(json["type"] as? String == "dev.usher.order.paid.v1")
        #expect(json["subject"] as? String == "ord_\(Self.text)")
        #expect(json["time"] as? String == "1970-01-01T00:00:00.000Z")
        #expect(json["sequence"] as? String == "3")
        #expect(json["datacontenttype"] as? String == "application/json")
        #expect((json["data"] as? [String: Any])?["state"] as? String == "paid")
    }

    @Test(arguments: [
        (#"{"order_id": "U", "state": "paid"}"#, #"{"order_id": "ord_T", "state": "paid"}"#),
        (
            #"{"session_id": "U", "account_id": "U", "hold_id": "U"}"#,
            #"{"session_id": "ses_T", "account_id": "usr_T", "hold_id": "hld_T"}"#
        ),
        (#"{"unknown_id": "U"}"#, #"{"unknown_id": "U"}"#),
        (#"{"order_id": null}"#, #"{"order_id": null}"#),
        (
            #"{"order_id": "not a uuid, but as long as one is..."}"#,
            #"{"order_id": "not a uuid, but as long as one is..."}"#
        ),
        (#"{"reason": "a \"order_id\": \"U\""}"#, #"{"reason": "a \"order_id\": \"U\""}"#),
        ("{}", "{}"),
    ])
    func `identifiers of a payload get their public form and nothing else changes`(payload: String, wanted: String) {
        let given = payload.replacing("U", with: Self.uuid)
        let expected = wanted.replacing("U", with: Self.uuid).replacing("T", with: Self.text)
        #expect(Self.event(given).body.hasSuffix("\"data\":\(expected)}"))
    }

    @Test(arguments: [
        ("order", "ord"), ("refund", "ref"), ("waitlist", "wai"), ("seats", "act"), ("ticket", "tkt"),
    ])
    func `a subject has the prefix that its kind has everywhere`(type: String, prefix: String) {
        #expect(Self.event("{}", type: type).subject == "\(prefix)_\(Self.text)")
    }

    @Test func `partitions are spread evenly`() {
        var counts = [Int](repeating: 0, count: EventPartition.count)
        for number in 0..<10_000 {
            let low = UInt64(number) &* 0x9e37_79b9_7f4a_7c15
            let event = OutboxEvent(
                id: EventID(high: 0, low: 0),
                aggregateType: "order",
                aggregate: AggregateID(high: 0, low: low),
                sequence: 1,
                name: "x",
                payload: "{}",
                madeAt: Moment(milliseconds: 0),
                place: .start
            )
            counts[event.partition] += 1
        }
        #expect(counts.allSatisfy { (850...1150).contains($0) })
    }
}
