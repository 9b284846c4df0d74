// Between the domain's types and the columns of the database.

import Foundation
import Ordering
import Postgres

extension Identifier {
    init(_ uuid: UUID) {
        let words = withUnsafeBytes(of: uuid.uuid) { bytes in
            (bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
        self.init(high: UInt64(bigEndian: words.0), low: UInt64(bigEndian: words.1))
    }

    var uuid: UUID {
        withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
    }
}

extension Row {
    func id<Kind>(_ name: String) throws(PostgresFailure) -> Identifier<Kind> { Identifier(try uuid(name)) }

    func optionalID<Kind>(_ name: String) throws(PostgresFailure) -> Identifier<Kind>? {
        guard let uuid = try optionalUUID(name) else { return nil }
        return Identifier(uuid)
    }

    func moment(_ name: String) throws(PostgresFailure) -> Moment {
        Moment(milliseconds: Int64(try milliseconds(name)))
    }

    func optionalMoment(_ name: String) throws(PostgresFailure) -> Moment? {
        guard let milliseconds = try optionalMilliseconds(name) else { return nil }
        return Moment(milliseconds: Int64(milliseconds))
    }

    func money(_ amount: String, in currency: String = "currency") throws(PostgresFailure) -> Money {
        Money(Int64(try int(amount)), try text(currency))
    }

    func seat(_ name: String = "seat_no") throws(PostgresFailure) -> SeatNumber {
        guard let seat = SeatNumber(exactly: try int(name)) else { throw .unreadable("column \(name): no seat") }
        return seat
    }

    func seats(_ name: String = "seats") throws(PostgresFailure) -> [SeatNumber] {
        try ints(name).map { SeatNumber(truncatingIfNeeded: $0) }
    }

    /// A state kept as its word.
    func state<State: RawRepresentable>(
        _ name: String = "state"
    ) throws(PostgresFailure) -> State where State.RawValue == String {
        let word = try text(name)
        guard let state = State(rawValue: word) else { throw .unreadable("column \(name): unknown word \(word)") }
        return state
    }
}

extension QueryResult {
    /// Reads every row.
    func map<Value>(_ read: (Row) throws(PostgresFailure) -> Value) throws(PostgresFailure) -> [Value] {
        var values: [Value] = []
        values.reserveCapacity(rowCount)
        for row in rows { values.append(try read(row)) }
        return values
    }
}

extension Moment {
    var parameter: Int { Int(milliseconds) }
}

extension Collection where Element == OrderItem {
    /// The seats as the text of an SQL array, so that orders of different sizes fit into one parameter.
    var seatArray: String { "{" + map { "\($0.seat)" }.joined(separator: ",") + "}" }
}

/// Runs `body` and says its failure in the words of the port.
func storing<Value>(
    _ body: () async throws(PostgresFailure) -> Value
) async throws(StoreFailure) -> Value {
    do {
        return try await body()
    } catch {
        throw switch error {
        case .tooManyWaiting: .overloaded
        case .unknownOutcome(let reason): .unknownOutcome(reason)
        case .notSent, .refused, .unreadable: .unavailable("\(error)")
        }
    }
}
