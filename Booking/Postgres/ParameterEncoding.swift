// Values in PostgreSQL's binary format: exact for every value, no quoting, zero bytes and all.

import Foundation

/// The values of one statement, laid out in one buffer.
struct EncodedParameters {
    private(set) var bytes: [UInt8] = []
    /// Start and length of each value; `nil` is SQL's null.
    private(set) var ranges: [Range<Int>?] = []

    /// - Throws: `PostgresFailure.notSent` for a time outside PostgreSQL's range.
    init(_ parameters: [PostgresParameter]) throws(PostgresFailure) {
        ranges.reserveCapacity(parameters.count)
        for parameter in parameters {
            let start = bytes.count
            let isPresent = try append(parameter)
            ranges.append(isPresent ? start..<bytes.count : nil)
        }
    }

    private mutating func append(_ parameter: PostgresParameter) throws(PostgresFailure) -> Bool {
        switch parameter {
        case .text(let value): appendScalar(value) { $0.append(contentsOf: $1.utf8) }
        case .bytes(let value): appendScalar(value) { $0.append(contentsOf: $1) }
        case .int(let value): appendScalar(value) { $0.appendBigEndian(Int64($1)) }
        case .bool(let value): appendScalar(value) { $0.append($1 ? 1 : 0) }
        case .uuid(let value): appendScalar(value) { $0.append($1) }
        case .milliseconds(let value):
            appendScalar(try value.map(PostgresTime.microseconds)) { $0.appendBigEndian($1) }
        case .texts(let values): appendArray(values, of: .text) { $0.append(contentsOf: $1.utf8) }
        case .byteses(let values): appendArray(values, of: .bytea) { $0.append(contentsOf: $1) }
        case .ints(let values): appendArray(values, of: .int8) { $0.appendBigEndian(Int64($1)) }
        case .bools(let values): appendArray(values, of: .bool) { $0.append($1 ? 1 : 0) }
        case .uuids(let values): appendArray(values, of: .uuid) { $0.append($1) }
        case .millisecondses(let values): try appendTimes(values)
        }
    }

    private mutating func appendTimes(_ values: [Int?]) throws(PostgresFailure) -> Bool {
        var times: [Int64?] = []
        times.reserveCapacity(values.count)
        for value in values { times.append(try value.map(PostgresTime.microseconds)) }
        return appendArray(times, of: .timestamptz) { $0.appendBigEndian($1) }
    }

    private mutating func appendScalar<Value>(_ value: Value?, _ write: (inout [UInt8], Value) -> Void) -> Bool {
        guard let value else { return false }
        write(&bytes, value)
        return true
    }

    /// One dimension, lower bound 1; each element with its length, null as -1 (`array_recv` in arrayfuncs.c).
    private mutating func appendArray<Value>(
        _ values: [Value?],
        of type: PostgresType,
        _ write: (inout [UInt8], Value) -> Void
    ) -> Bool {
        bytes.appendBigEndian(Int32(values.isEmpty ? 0 : 1))
        bytes.appendBigEndian(Int32(values.contains { $0 == nil } ? 1 : 0))
        bytes.appendBigEndian(type.rawValue)
        guard !values.isEmpty else { return true }
        bytes.appendBigEndian(Int32(values.count))
        bytes.appendBigEndian(Int32(1))
        for value in values {
            let lengthAt = bytes.count
            bytes.appendBigEndian(Int32(-1))
            guard let value else { continue }
            write(&bytes, value)
            let length = UInt32(bytes.count - lengthAt - 4)
            for index in 0..<4 { bytes[lengthAt + index] = UInt8(truncatingIfNeeded: length >> (24 - 8 * index)) }
        }
        return true
    }
}

/// PostgreSQL counts microseconds from 2000-01-01 UTC; Usher counts milliseconds from 1970-01-01 UTC.
enum PostgresTime {
    private static let epochMilliseconds = 946_684_800_000

    static func microseconds(_ milliseconds: Int) throws(PostgresFailure) -> Int64 {
        let (shifted, overflow) = milliseconds.subtractingReportingOverflow(epochMilliseconds)
        let (scaled, overflowed) = shifted.multipliedReportingOverflow(by: 1000)
        // The largest and smallest numbers mean infinity to PostgreSQL.
        guard !overflow, !overflowed, scaled != .max, scaled != .min else {
            throw .notSent(reason: "time out of range: \(milliseconds) ms")
        }
        return Int64(scaled)
    }

    /// - Returns: `nil` for infinity.
    static func milliseconds(_ microseconds: Int64) -> Int? {
        guard microseconds != .max, microseconds != .min else { return nil }
        let (quotient, remainder) = microseconds.quotientAndRemainder(dividingBy: 1000)
        return Int(quotient) - (remainder < 0 ? 1 : 0) + epochMilliseconds
    }
}

extension [UInt8] {
    fileprivate mutating func appendBigEndian(_ value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }

    fileprivate mutating func append(_ value: UUID) {
        Swift.withUnsafeBytes(of: value.uuid) { append(contentsOf: $0) }
    }
}

extension Optional {
    /// `map` of the standard library does not carry a typed error through.
    fileprivate func map<Other>(
        _ transform: (Wrapped) throws(PostgresFailure) -> Other
    ) throws(PostgresFailure) -> Other? {
        guard let self else { return nil }
        return try transform(self)
    }
}
