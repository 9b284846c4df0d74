// One row of the outbox, and the CloudEvent that the world sees of it.

package import Ordering

package enum EventKind: IdentifierKind { package static let prefix = "evt" }
package enum AggregateKind: IdentifierKind { package static let prefix = "agg" }
package typealias EventID = Identifier<EventKind>
package typealias AggregateID = Identifier<AggregateKind>

/// Where a row is in the outbox: by the transaction that wrote it, then by its number. Below the oldest transaction that
/// still runs, no row appears any more, so a reader that stays below it may go on from the last place it has read. By the
/// number alone it must not: numbers become visible out of order.
package struct OutboxPlace: Hashable, Comparable, Sendable {
    package static let start = OutboxPlace(transaction: 0, number: 0)

    package var transaction: Int
    package var number: Int

    package init(transaction: Int, number: Int) {
        self.transaction = transaction
        self.number = number
    }

    package static func < (one: Self, other: Self) -> Bool {
        (one.transaction, one.number) < (other.transaction, other.number)
    }
}

package struct OutboxEvent: Sendable {
    package var id: EventID
    /// `order`, `refund` …
    package var aggregateType: String
    package var aggregate: AggregateID
    /// 1, 2, 3 … of its aggregate.
    package var sequence: Int
    /// `order.paid` …
    package var name: String
    /// A JSON object.
    package var payload: String
    package var madeAt: Moment
    package var place: OutboxPlace

    package init(
        id: EventID,
        aggregateType: String,
        aggregate: AggregateID,
        sequence: Int,
        name: String,
        payload: String,
        madeAt: Moment,
        place: OutboxPlace
    ) {
        self.id = id
        self.aggregateType = aggregateType
        self.aggregate = aggregate
        self.sequence = sequence
        self.name = name
        self.payload = payload
        self.madeAt = madeAt
        self.place = place
    }

    /// The stream of its aggregate. The SQL that reads one partition computes the same from the last two bytes.
    package var partition: Int { Int(aggregate.low & 0xffff) % EventPartition.count }
}

package enum EventPartition {
    /// Streams. A constant, as every position kept in PostgreSQL speaks of them.
    package static let count = 10
}

/// An event as consumers get it, from a stream or from the outbox: the same bytes.
package struct PublishedEvent: Sendable, Hashable {
    package static let typePrefix = "dev.usher."
    package static let typeSuffix = ".v1"
    package static let source = "/usher/booking"
    package static let contentType = "application/cloudevents+json"

    package var id: String
    package var subject: String
    package var sequence: Int
    /// `dev.usher.order.paid.v1`
    package var type: String
    /// The whole event as JSON (CloudEvents 1.0).
    package var body: String

    package init(id: String, subject: String, sequence: Int, type: String, body: String) {
        self.id = id
        self.subject = subject
        self.sequence = sequence
        self.type = type
        self.body = body
    }

    /// With the body made of the rest; `time` is RFC 3339, `data` JSON.
    package init(id: String, subject: String, sequence: Int, type: String, time: String, data: String) {
        let body =
            "{\"specversion\":\"1.0\",\"id\":\"\(id)\",\"source\":\"\(Self.source)\",\"type\":\"\(type)\",\"subject\":\""
            + "\(subject)\",\"time\":\"\(time)\",\"sequence\":\"\(sequence)\",\"sequencetype\":\"Integer\","
            + "\"datacontenttype\":\"application/json\",\"data\":" + data + "}"
        self.init(id: id, subject: subject, sequence: sequence, type: type, body: body)
    }

    /// `time` gives the RFC 3339 text of a moment.
    package init(_ event: OutboxEvent, time: (Moment) -> String) {
        self.init(
            id: "\(event.id)",
            subject: PublicNames.id(event.aggregate, ofType: event.aggregateType),
            sequence: event.sequence,
            type: Self.typePrefix + event.name + Self.typeSuffix,
            time: time(event.madeAt),
            data: PublicNames.rewritten(event.payload)
        )
    }
}
