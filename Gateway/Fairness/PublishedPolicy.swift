// The members of a policy document that decide who comes when.
import Foundation

struct PublishedPolicy: Decodable {
    struct Order: Decodable, Equatable {
        var method: String?
        var tie_window_ms: Int64?
        var beacon: String?
    }

    struct Schedule: Decodable {
        var sale_opens_at: String?
    }

    struct Claim: Decodable {
        var window_seconds: Int64?
        var grace_seconds: Int64?
    }

    var order: Order?
    var schedule: Schedule?
    var claim: Claim?

    init?(document: String) {
        guard let policy = try? JSONDecoder().decode(Self.self, from: Data(document.utf8)) else { return nil }
        self = policy
    }

    /// When the sale opens, in milliseconds since 1970.
    var saleOpensAt: Int64? { schedule?.sale_opens_at.flatMap(Self.milliseconds) }

    /// Whether the two decide the same order.
    func ordersAs(_ other: BundleHeader.Order) -> Bool {
        let method = order?.method ?? "first_come"
        guard method == other.method, (order?.tie_window_ms ?? 0) == other.tieMilliseconds else { return false }
        return method != "lottery" || (order?.beacon ?? "drand") == (other.beacon ?? "drand")
    }

    /// How long after its call a place is lost at the earliest.
    var forfeitMilliseconds: Int64 {
        [claim?.window_seconds, claim?.grace_seconds].reduce(0) { sum, seconds in
            sum + 1000 * min(max(seconds ?? 0, 0), Self.secondsMax)
        }
    }

    private static let secondsMax: Int64 = 1_000_000_000

    /// RFC 3339 in UTC, with or without decimals of a second.
    private static func milliseconds(_ text: String) -> Int64? {
        for style in [Date.ISO8601FormatStyle(includingFractionalSeconds: true), Date.ISO8601FormatStyle()] {
            if let date = try? style.parse(text) { return Int64((date.timeIntervalSince1970 * 1000).rounded()) }
        }
        return nil
    }
}
