package import Foundation

/// A value for `$n`. The case, not the value, fixes the SQL type, so a null is typed too.
///
/// Integers travel as `bigint`; PostgreSQL compares and assigns them to `integer` columns without a cast.
package enum PostgresParameter: Sendable {
    case text(String?)
    case bytes([UInt8]?)
    case int(Int?)
    case bool(Bool?)
    case uuid(UUID?)
    /// Milliseconds since 1970-01-01 UTC, for `timestamptz`.
    case milliseconds(Int?)
    case texts([String?])
    case byteses([[UInt8]?])
    case ints([Int?])
    case bools([Bool?])
    case uuids([UUID?])
    case millisecondses([Int?])

    var type: PostgresType {
        switch self {
        case .text: .text
        case .bytes: .bytea
        case .int: .int8
        case .bool: .bool
        case .uuid: .uuid
        case .milliseconds: .timestamptz
        case .texts: .textArray
        case .byteses: .byteaArray
        case .ints: .int8Array
        case .bools: .boolArray
        case .uuids: .uuidArray
        case .millisecondses: .timestamptzArray
        }
    }
}

/// Type numbers of PostgreSQL's catalogue (`pg_type.dat`); they never change.
struct PostgresType: RawRepresentable, Hashable, Sendable {
    let rawValue: UInt32

    static let bool = PostgresType(rawValue: 16)
    static let bytea = PostgresType(rawValue: 17)
    static let name = PostgresType(rawValue: 19)
    static let int8 = PostgresType(rawValue: 20)
    static let int2 = PostgresType(rawValue: 21)
    static let int4 = PostgresType(rawValue: 23)
    static let text = PostgresType(rawValue: 25)
    static let json = PostgresType(rawValue: 114)
    static let unknown = PostgresType(rawValue: 705)
    static let bpchar = PostgresType(rawValue: 1042)
    static let varchar = PostgresType(rawValue: 1043)
    static let timestamptz = PostgresType(rawValue: 1184)
    static let uuid = PostgresType(rawValue: 2950)
    static let jsonb = PostgresType(rawValue: 3802)
    static let xid8 = PostgresType(rawValue: 5069)
    static let boolArray = PostgresType(rawValue: 1000)
    static let byteaArray = PostgresType(rawValue: 1001)
    static let int2Array = PostgresType(rawValue: 1005)
    static let int4Array = PostgresType(rawValue: 1007)
    static let textArray = PostgresType(rawValue: 1009)
    static let int8Array = PostgresType(rawValue: 1016)
    static let timestamptzArray = PostgresType(rawValue: 1185)
    static let uuidArray = PostgresType(rawValue: 2951)
}
