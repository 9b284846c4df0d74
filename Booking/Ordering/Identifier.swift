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
        var text = String(text)
        let halves = text.withUTF8 { letters -> (high: UInt64, low: UInt64)? in
            let prefix = Kind.prefix.utf8
            let start = prefix.count + 1
            guard letters.count == start + Self.letterCount, letters.starts(with: prefix),
                letters[start - 1] == UInt8(ascii: "_")
            else { return nil }
            var (high, low): (UInt64, UInt64) = (0, 0)
            for index in start..<letters.count {
                guard let value = Crockford.value(of: letters[index]), index > start || value < 8 else { return nil }
                high = high << 5 | low >> 59
                low = low << 5 | value
            }
            return (high, low)
        }
        guard let halves else { return nil }
        self.init(high: halves.high, low: halves.low)
    }

    private static var letterCount: Int { 26 }

    package var bytes: [UInt8] {
        (0..<16).map { UInt8(truncatingIfNeeded: ($0 < 8 ? high : low) >> UInt64(56 - 8 * ($0 % 8))) }
    }

    package var description: String {
        let prefix = Kind.prefix.utf8
        let count = prefix.count + 1 + Self.letterCount
        return String(unsafeUninitializedCapacity: count) { letters in
            var index = 0
            for letter in prefix {
                letters[index] = letter
                index += 1
            }
            letters[index] = UInt8(ascii: "_")
            var (high, low) = (high, low)
            for index in (index + 1..<count).reversed() {
                letters[index] = Crockford.letter(of: low & 31)
                low = low >> 5 | high << 59
                high >>= 5
            }
            return count
        }
    }

    package static func < (left: Self, right: Self) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

/// Crockford base32 in lower case: no i, l, o, u.
private enum Crockford {
    private static let letters: StaticString = "0123456789abcdefghjkmnpqrstvwxyz"

    static func letter(of value: UInt64) -> UInt8 { letters.utf8Start[Int(value)] }

    static func value(of letter: UInt8) -> UInt64? {
        switch letter {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(letter - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "h"): UInt64(letter - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "j"), UInt8(ascii: "k"): UInt64(letter - UInt8(ascii: "j")) + 18
        case UInt8(ascii: "m"), UInt8(ascii: "n"): UInt64(letter - UInt8(ascii: "m")) + 20
        case UInt8(ascii: "p")...UInt8(ascii: "t"): UInt64(letter - UInt8(ascii: "p")) + 22
        case UInt8(ascii: "v")...UInt8(ascii: "z"): UInt64(letter - UInt8(ascii: "v")) + 27
        default: nil
        }
    }
}

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
