import CLibPQ
package import Foundation

/// The rows a statement returned.
///
/// Safe because libpq never changes a finished result and every accessor used here only reads it;
/// it is freed once, by the last owner.
package final class QueryResult: @unchecked Sendable {
    private let result: OpaquePointer
    package let columns: [String]
    fileprivate let types: [PostgresType]
    package let rowCount: Int

    init(taking result: OpaquePointer) {
        self.result = result
        let count = PQnfields(result)
        columns = (0..<count).map { String(cString: PQfname(result, $0)) }
        types = (0..<count).map { PostgresType(rawValue: PQftype(result, $0)) }
        rowCount = Int(PQntuples(result))
    }

    deinit { PQclear(result) }

    /// How many rows an `INSERT`, `UPDATE` or `DELETE` changed (rows read for a `SELECT`).
    package var changedCount: Int { Int(String(cString: PQcmdTuples(result))) ?? 0 }

    package var rows: some RandomAccessCollection<Row> {
        (0..<rowCount).lazy.map { Row(result: self, index: $0) }
    }

    package var first: Row? { rowCount > 0 ? Row(result: self, index: 0) : nil }

    /// The bytes of a cell, or `nil` for null. Valid while `self` lives.
    fileprivate func withCell<Value>(row: Int, column: Int, _ read: (UnsafeRawBufferPointer) -> Value?) -> Value? {
        withExtendedLifetime(self) {
            let count = Int(PQgetlength(result, Int32(row), Int32(column)))
            return read(UnsafeRawBufferPointer(start: PQgetvalue(result, Int32(row), Int32(column)), count: count))
        }
    }

    fileprivate func isNull(row: Int, column: Int) -> Bool {
        PQgetisnull(result, Int32(row), Int32(column)) == 1
    }
}

/// One row; columns are read by name and checked against the type the server declared.
package struct Row: Sendable {
    fileprivate let result: QueryResult
    fileprivate let index: Int

    package func int(_ name: String) throws(PostgresFailure) -> Int { try required(name, optionalInt(name)) }
    package func text(_ name: String) throws(PostgresFailure) -> String { try required(name, optionalText(name)) }
    package func bytes(_ name: String) throws(PostgresFailure) -> [UInt8] { try required(name, optionalBytes(name)) }
    package func bool(_ name: String) throws(PostgresFailure) -> Bool { try required(name, optionalBool(name)) }
    package func uuid(_ name: String) throws(PostgresFailure) -> UUID { try required(name, optionalUUID(name)) }
    /// Milliseconds since 1970-01-01 UTC; finer parts are cut off.
    package func milliseconds(_ name: String) throws(PostgresFailure) -> Int {
        try required(name, optionalMilliseconds(name))
    }

    package func optionalInt(_ name: String) throws(PostgresFailure) -> Int? {
        try read(name, as: [.int8, .int4, .int2, .xid8]) { bytes in
            switch bytes.count {
            case 8: Int(Int64(bigEndian: bytes.loadUnaligned(as: Int64.self)))
            case 4: Int(Int32(bigEndian: bytes.loadUnaligned(as: Int32.self)))
            case 2: Int(Int16(bigEndian: bytes.loadUnaligned(as: Int16.self)))
            default: nil
            }
        }
    }

    /// A `jsonb` value comes as its text.
    package func optionalText(_ name: String) throws(PostgresFailure) -> String? {
        let column = try position(of: name)
        let skipped = result.types[column] == .jsonb ? 1 : 0
        return try read(name, as: [.text, .varchar, .bpchar, .name, .json, .jsonb, .unknown]) { bytes in
            String(validating: bytes.dropFirst(skipped), as: UTF8.self)
        }
    }

    package func optionalBytes(_ name: String) throws(PostgresFailure) -> [UInt8]? {
        try read(name, as: [.bytea]) { Array($0) }
    }

    package func optionalBool(_ name: String) throws(PostgresFailure) -> Bool? {
        try read(name, as: [.bool]) { $0.count == 1 ? $0[0] != 0 : nil }
    }

    package func optionalUUID(_ name: String) throws(PostgresFailure) -> UUID? {
        try read(name, as: [.uuid]) { bytes in
            bytes.count == 16 ? UUID(uuid: bytes.loadUnaligned(as: uuid_t.self)) : nil
        }
    }

    package func optionalMilliseconds(_ name: String) throws(PostgresFailure) -> Int? {
        try read(name, as: [.timestamptz]) { bytes in
            guard bytes.count == 8 else { return nil }
            return PostgresTime.milliseconds(Int64(bigEndian: bytes.loadUnaligned(as: Int64.self)))
        }
    }

    /// An array without nulls of `bigint`, `integer` or `smallint`.
    package func ints(_ name: String) throws(PostgresFailure) -> [Int] {
        let values = try read(name, as: [.int8Array, .int4Array, .int2Array]) { bytes in
            ArrayElements.read(bytes) { element in
                switch element.count {
                case 8: Int(Int64(bigEndian: element.loadUnaligned(as: Int64.self)))
                case 4: Int(Int32(bigEndian: element.loadUnaligned(as: Int32.self)))
                case 2: Int(Int16(bigEndian: element.loadUnaligned(as: Int16.self)))
                default: nil
                }
            }
        }
        return try required(name, values)
    }

    package func texts(_ name: String) throws(PostgresFailure) -> [String] {
        let values = try read(name, as: [.textArray]) { bytes in
            ArrayElements.read(bytes) { String(validating: $0, as: UTF8.self) }
        }
        return try required(name, values)
    }

    package func uuids(_ name: String) throws(PostgresFailure) -> [UUID] {
        let values = try read(name, as: [.uuidArray]) { bytes in
            ArrayElements.read(bytes) { $0.count == 16 ? UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) : nil }
        }
        return try required(name, values)
    }

    private func position(of name: String) throws(PostgresFailure) -> Int {
        guard let column = result.columns.firstIndex(of: name) else { throw .unreadable("no column \(name)") }
        return column
    }

    private func required<Value>(_ name: String, _ value: Value?) throws(PostgresFailure) -> Value {
        guard let value else { throw .unreadable("column \(name) is null") }
        return value
    }

    private func read<Value>(
        _ name: String,
        as accepted: [PostgresType],
        _ decode: (UnsafeRawBufferPointer) -> Value?
    ) throws(PostgresFailure) -> Value? {
        let column = try position(of: name)
        guard accepted.contains(result.types[column]) else {
            throw .unreadable("column \(name) has type number \(result.types[column].rawValue)")
        }
        guard !result.isNull(row: index, column: column) else { return nil }
        guard let value = result.withCell(row: index, column: column, decode) else {
            throw .unreadable("column \(name) holds something unexpected")
        }
        return value
    }
}

/// Reads PostgreSQL's binary form of a one-dimensional array.
private enum ArrayElements {
    static func read<Value>(
        _ bytes: UnsafeRawBufferPointer,
        _ decode: (UnsafeRawBufferPointer) -> Value?
    ) -> [Value]? {
        guard bytes.count >= 12 else { return nil }
        let dimensions = Int32(bigEndian: bytes.loadUnaligned(as: Int32.self))
        guard dimensions != 0 else { return [] }
        guard dimensions == 1, bytes.count >= 20 else { return nil }
        let count = Int(Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: 12, as: Int32.self)))
        var offset = 20
        var values: [Value] = []
        values.reserveCapacity(count)
        for _ in 0..<count {
            guard offset + 4 <= bytes.count else { return nil }
            let length = Int(Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)))
            offset += 4
            guard length >= 0, offset + length <= bytes.count else { return nil }
            guard let value = decode(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length])) else {
                return nil
            }
            values.append(value)
            offset += length
        }
        return values
    }
}
