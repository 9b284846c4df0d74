// The database keeps identifiers as UUIDs; outside they are `ord_…`, `ses_…`. A payload is rewritten byte by byte on its
// way out, so that the transactions that write events stay plain SQL.

import Ordering

enum PublicNames {
    /// By the name of an aggregate and of a member `<name>_id`. What staff do to seats is an action.
    private static let prefixes = [
        "order": OrderKind.prefix, "refund": RefundKind.prefix, "session": SessionKind.prefix,
        "account": AccountKind.prefix, "hold": HoldKind.prefix, "payment": PaymentKind.prefix,
        "ticket": TicketKind.prefix, "show": ShowKind.prefix, "waitlist": WaitlistKind.prefix,
        "seats": ActionKind.prefix,
    ]
    private static let marker = Array("_id\": \"".utf8)
    private static let uuidLength = 36

    static func id(_ aggregate: AggregateID, ofType type: String) -> String {
        named(aggregate.high, aggregate.low, prefix: prefixes[type] ?? type)
    }

    /// Members called `<something>_id` whose value is a UUID get their public form; everything else stays as it is.
    static func rewritten(_ payload: String) -> String {
        let bytes = Array(payload.utf8)
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var (copied, index) = (0, 0)
        while let member = nextMember(in: bytes, from: index) {
            index = member.value.upperBound
            guard let prefix = prefixes[member.name], let (high, low) = uuid(bytes[member.value]) else { continue }
            output += bytes[copied..<member.value.lowerBound]
            output += named(high, low, prefix: prefix).utf8
            copied = member.value.upperBound
        }
        output += bytes[copied...]
        return String(decoding: output, as: UTF8.self)
    }

    private static func named(_ high: UInt64, _ low: UInt64, prefix: String) -> String {
        "\(prefix)_" + String("\(AggregateID(high: high, low: low))".dropFirst(AggregateKind.prefix.count + 1))
    }

    /// The next `"…_id": "<36 bytes>"`. Inside a JSON string a quote is escaped, so this cannot be the content of one.
    private static func nextMember(in bytes: [UInt8], from start: Int) -> (name: String, value: Range<Int>)? {
        var index = start
        while index + marker.count + uuidLength < bytes.count {
            guard bytes[index] == marker[0], bytes[index..<index + marker.count].elementsEqual(marker) else {
                index += 1
                continue
            }
            let value = index + marker.count..<index + marker.count + uuidLength
            let quote = bytes[..<index].lastIndex(of: UInt8(ascii: "\""))
            if bytes[value.upperBound] == UInt8(ascii: "\""), let quote {
                return (String(decoding: bytes[quote + 1..<index], as: UTF8.self), value)
            }
            index += marker.count
        }
        return nil
    }

    private static func uuid(_ text: ArraySlice<UInt8>) -> (UInt64, UInt64)? {
        var (high, low, digits): (UInt64, UInt64, Int) = (0, 0, 0)
        for byte in text {
            if byte == UInt8(ascii: "-") { continue }
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            default: return nil
            }
            high = high << 4 | low >> 60
            low = low << 4 | UInt64(digit)
            digits += 1
        }
        return digits == 32 ? (high, low) : nil
    }
}
