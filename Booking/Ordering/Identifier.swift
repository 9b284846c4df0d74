/// A 128-bit identifier (UUIDv7) that knows what it names: `ord_` + 26 letters of Crockford base32.
package struct Identifier<Kind: IdentifierKind>: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    /// `nil` unless there are exactly 16 bytes.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        high = bytes[..<8].reduce(0) { $0 << 8 | UInt64($1) }
        low = bytes[8...].reduce(0) { $0 << 8 | UInt64($1) }
    }

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads the text form; `nil` for another prefix, length, letter, or a value above 128 bits.
    package init?(_ text: some StringProtocol) {
        let letters = Array(text.utf8)
        let prefix = Array("\(Kind.prefix)_".utf8)
        guard letters.count == prefix.count + 26, letters.starts(with: prefix) else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for (index, letter) in letters[prefix.count...].enumerated() {
            guard let value = crockford.firstIndex(of: letter), index > 0 || value < 8 else { return nil }
            high = high << 5 | low >> 59
            low = low << 5 | UInt64(value)
        }
        self.init(high: high, low: low)
    }

    package var bytes: [UInt8] {
        (0..<16).map { UInt8(truncatingIfNeeded: ($0 < 8 ? high : low) >> UInt64(56 - 8 * ($0 % 8))) }
    }

    package var description: String {
        var letters = [UInt8](repeating: 0, count: 26)
        var (high, low) = (high, low)
        for index in (0..<26).reversed() {
            letters[index] = crockford[Int(low & 31)]
            low = low >> 5 | high << 59
            high >>= 5
        }
        return "\(Kind.prefix)_" + String(decoding: letters, as: UTF8.self)
    }

    package static func < (left: Self, right: Self) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

/// Crockford base32 in lower case: no i, l, o, u.
private let crockford = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

package protocol IdentifierKind: Sendable { static var prefix: String { get } }

package enum VenueKind: IdentifierKind { package static let prefix = "ven" }
package enum ShowKind: IdentifierKind { package static let prefix = "shw" }
package enum SessionKind: IdentifierKind { package static let prefix = "ses" }
package enum AccountKind: IdentifierKind { package static let prefix = "usr" }
package enum HoldKind: IdentifierKind { package static let prefix = "hld" }
package enum OrderKind: IdentifierKind { package static let prefix = "ord" }
package enum PaymentKind: IdentifierKind { package static let prefix = "pay" }
package enum TicketKind: IdentifierKind { package static let prefix = "tkt" }
package enum WaitlistKind: IdentifierKind { package static let prefix = "wai" }
package enum ActionKind: IdentifierKind { package static let prefix = "act" }
package enum RefundKind: IdentifierKind { package static let prefix = "ref" }

package typealias VenueID = Identifier<VenueKind>
package typealias ShowID = Identifier<ShowKind>
package typealias SessionID = Identifier<SessionKind>
package typealias AccountID = Identifier<AccountKind>
package typealias HoldID = Identifier<HoldKind>
package typealias OrderID = Identifier<OrderKind>
package typealias PaymentID = Identifier<PaymentKind>
package typealias TicketID = Identifier<TicketKind>
package typealias WaitlistID = Identifier<WaitlistKind>
/// Names what somebody of the staff did.
package typealias ActionID = Identifier<ActionKind>
package typealias RefundID = Identifier<RefundKind>
