#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The `Date` field (RFC 9110 §5.6.7), written anew when the second has changed.
struct EdgeDate {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private var second = -1
    private var written: [UInt8] = []

    /// The whole line.
    mutating func field() -> [UInt8] {
        let now = time(nil)
        if now != second {
            second = now
            written = Array("Date: \(Self.text(secondsSince1970: now))\r\n".utf8)
        }
        return written
    }

    static func text(secondsSince1970 seconds: Int) -> String {
        var seconds = seconds
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let clock = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { twoDigits(Int($0)) }.joined(separator: ":")
        let day = days[(seconds / 86_400) % 7]
        let month = months[Int(parts.tm_mon)]
        return "\(day), \(twoDigits(Int(parts.tm_mday))) \(month) \(1900 + Int(parts.tm_year)) \(clock) GMT"
    }

    private static func twoDigits(_ value: Int) -> String {
        value < 10 ? "0\(value)" : "\(value)"
    }
}
