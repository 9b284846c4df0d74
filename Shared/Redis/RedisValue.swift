/// One reply of the server (RESP2). Bulk strings are bytes: Redis promises no encoding.
package enum RedisValue: Sendable, Hashable {
    case null
    case integer(Int)
    case status(String)
    case bytes([UInt8])
    case array([RedisValue])
    /// An error reply inside a pipeline or an array; a single call throws it as `RedisFailure.refused`.
    case error(String)
}

extension RedisValue {
    package var isNull: Bool { self == .null }

    /// The number of an integer reply, or of a bulk string or status that is a decimal number.
    package var asInteger: Int? {
        switch self {
        case .integer(let number): number
        case .bytes, .status: asText.flatMap { Int($0) }
        default: nil
        }
    }

    /// A status, or a bulk string that is valid UTF-8.
    package var asText: String? {
        switch self {
        case .status(let text): text
        case .bytes(let bytes): String(validating: bytes, as: UTF8.self)
        default: nil
        }
    }

    package var asBytes: [UInt8]? {
        switch self {
        case .bytes(let bytes): bytes
        case .status(let text): Array(text.utf8)
        default: nil
        }
    }

    package var asArray: [RedisValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    package var asError: String? {
        guard case .error(let message) = self else { return nil }
        return message
    }

    /// A flat field, value, field, value … array (the reply of `HGETALL`) as a dictionary of texts.
    package var asDictionary: [String: RedisValue]? {
        guard let elements = asArray, elements.count.isMultiple(of: 2) else { return nil }
        var fields: [String: RedisValue] = [:]
        fields.reserveCapacity(elements.count / 2)
        for index in stride(from: 0, to: elements.count, by: 2) {
            guard let name = elements[index].asText else { return nil }
            fields[name] = elements[index + 1]
        }
        return fields
    }
}
