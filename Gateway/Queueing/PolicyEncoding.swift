// The canonical bytes of a policy: every member, names sorted, no spaces. Equal policies have equal bytes, so the hash
// in a token says which rules its holder queued under.
import Signing

extension RoomPolicy {
    package var canonicalJSON: [UInt8] {
        var text = #"{"admission":{"active_max":\#(admission.activeMax),"adaptive":\#(admission.isAdaptive)"#
        text += #","burst":\#(admission.burst.map(String.init) ?? "null"),"per_minute":\#(admission.perMinute)"#
        text += #","ramp_seconds":\#(admission.rampSeconds)},"challenge":\#(challenge.canonicalJSON)"#
        text += #","claim":{"extensions_max":\#(claim.extensionsMax),"grace_seconds":\#(claim.graceSeconds)"#
        text += #","window_seconds":\#(claim.windowSeconds)}"#
        text += #","identity":"\#(identity.rawValue)","limits":{},"message":\#(Self.json(message))"#
        text += #","order":\#(orderJSON)"#
        text += #","pass":{"idle_seconds":\#(passIdleSeconds),"lifetime_seconds":\#(passLifetimeSeconds)"#
        text += #","sharing":"\#(passSharing.rawValue)"}"#
        text += #","protects":["#
        text += protectedSessions.map { #"{"session":"\#($0)"}"# }.joined(separator: ",")
        text += #"],"schedule":{"closes_at":\#(Self.json(schedule.closesAt?.rfc3339))"#
        text += #","join_opens_at":\#(Self.json(schedule.joinOpensAt?.rfc3339))"#
        text += #","sale_opens_at":\#(Self.json(schedule.saleOpensAt?.rfc3339))}}"#
        return Array(text.utf8)
    }

    /// What cannot change once somebody has joined.
    package var orderJSON: String {
        let beacon = beacon.map { #""beacon":"\#($0.rawValue)","# } ?? ""
        return #"{\#(beacon)"method":"\#(order.rawValue)","tie_window_ms":\#(tieWindowMS)}"#
    }

    /// SHA-256 of the canonical bytes, base64url.
    package var hash: String { Base64URL.encode(SHA256.digest(canonicalJSON)) }

    private static func json(_ text: String?) -> String {
        guard let text else { return "null" }
        return String(decoding: JSONText.quoted(text), as: UTF8.self)
    }
}

/// JSON strings (RFC 8259 §7) with the least escaping.
package enum JSONText {
    package static func quoted(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count + 2)
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20:
                bytes.append(contentsOf: Array("\\u00".utf8))
                bytes.append(hexDigit(byte >> 4))
                bytes.append(hexDigit(byte & 15))
            default:
                bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
        return bytes
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}
