// Reads a JSON object strictly: each member by name and range, and nothing that nobody asked for.
import Foundation

/// What is wrong with a policy document, by member path.
package struct PolicyFlaw: Error, Sendable, Equatable, CustomStringConvertible {
    package var member: String
    package var reason: String

    package init(_ member: String, _ reason: String) {
        self.member = member
        self.reason = reason
    }

    package var description: String { "\(member): \(reason)" }
}

/// A JSON value as it was sent. Whole numbers only: a policy has no others.
enum JSONValue: Decodable, Equatable {
    case null
    case bool(Bool)
    case integer(Int)
    case fraction(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .fraction(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    init?(parsing bytes: [UInt8]) {
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: Foundation.Data(bytes)) else { return nil }
        self = value
    }
}

/// One object being read; `finish()` refuses the members nobody took.
struct PolicyReader {
    private var members: [String: JSONValue]
    private let path: String

    init(_ value: JSONValue, path: String) throws(PolicyFlaw) {
        guard case .object(let members) = value else { throw PolicyFlaw(path, "must be an object") }
        self.members = members
        self.path = path
    }

    private func name(_ member: String) -> String { path.isEmpty ? member : "\(path).\(member)" }

    mutating func integer(_ member: String, in range: ClosedRange<Int>, default standard: Int) throws(PolicyFlaw) -> Int
    {
        try optionalInteger(member, in: range) ?? standard
    }

    mutating func optionalInteger(_ member: String, in range: ClosedRange<Int>) throws(PolicyFlaw) -> Int? {
        switch members.removeValue(forKey: member) {
        case nil, .null: return nil
        case .integer(let value) where range.contains(value): return value
        default:
            throw PolicyFlaw(name(member), "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
    }

    mutating func bool(_ member: String, default standard: Bool) throws(PolicyFlaw) -> Bool {
        switch members.removeValue(forKey: member) {
        case nil: return standard
        case .bool(let value): return value
        default: throw PolicyFlaw(name(member), "must be true or false")
        }
    }

    mutating func text(_ member: String, lengthMax: Int) throws(PolicyFlaw) -> String? {
        switch members.removeValue(forKey: member) {
        case nil, .null: return nil
        case .string(let value)
        where value.utf8.count <= lengthMax && value.unicodeScalars.allSatisfy({ $0.value >= 32 }):
            return value
        default:
            throw PolicyFlaw(name(member), "must be a text of at most \(lengthMax) bytes without control characters")
        }
    }

    mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ member: String,
        default standard: Choice
    ) throws(PolicyFlaw) -> Choice where Choice.RawValue == String {
        switch members.removeValue(forKey: member) {
        case nil: return standard
        case .string(let value):
            if let choice = Choice(rawValue: value) { return choice }
        default: break
        }
        throw PolicyFlaw(name(member), "must be one of: " + Choice.allCases.map(\.rawValue).joined(separator: ", "))
    }

    mutating func moment(_ member: String) throws(PolicyFlaw) -> Moment? {
        switch members.removeValue(forKey: member) {
        case nil, .null: return nil
        case .string(let value):
            if let moment = Moment(rfc3339: value) { return moment }
        default: break
        }
        throw PolicyFlaw(name(member), "must be null or an RFC 3339 time in UTC")
    }

    mutating func object(_ member: String) throws(PolicyFlaw) -> PolicyReader {
        try PolicyReader(members.removeValue(forKey: member) ?? .object([:]), path: name(member))
    }

    mutating func list(_ member: String, countMax: Int) throws(PolicyFlaw) -> [JSONValue] {
        switch members.removeValue(forKey: member) {
        case nil: return []
        case .array(let values) where values.count <= countMax: return values
        default: throw PolicyFlaw(name(member), "must be a list of at most \(countMax)")
        }
    }

    func finish() throws(PolicyFlaw) {
        guard let member = members.keys.min() else { return }
        throw PolicyFlaw(name(member), "is not a member of a policy")
    }
}
