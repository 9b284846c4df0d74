// The bounds of one connection as settings: name, help and range of each, and the bound of the codec that it sets.
package import EdgeHTTP
import NIOCore
package import Operations

package enum EdgeLimitSettings {
    /// A bound that is a number.
    struct Count {
        let name: String
        let bound: any (WritableKeyPath<EdgeLimits, Int> & Sendable)
        let range: ClosedRange<Int>
        let help: String
    }

    /// A bound that is a time.
    struct Time {
        let name: String
        let bound: any (WritableKeyPath<EdgeLimits, TimeAmount> & Sendable)
        let range: ClosedRange<Duration>
        let help: String
    }

    static let counts = [
        Count(
            name: "request-line-max",
            bound: \.requestLineBytesMax,
            range: 64...headBytesHighest,
            help: "bytes of a request line; else 414"
        ),
        Count(
            name: "header-line-max",
            bound: \.headerLineBytesMax,
            range: 64...headBytesHighest,
            help: "bytes of one header line; else 431"
        ),
        Count(
            name: "head-max",
            bound: \.headBytesMax,
            range: 256...headBytesHighest,
            help: "bytes of a request's head; else 431"
        ),
        Count(
            name: "headers-max",
            bound: \.headerCountMax,
            range: 1...250,
            help: "header lines of a request; else 431"
        ),
        Count(
            name: "body-max",
            bound: \.bodyBytesMax,
            range: 0...(1 << 40),
            help: "bytes of a request's body; else 413"
        ),
        Count(
            name: "requests-per-connection-max",
            bound: \.requestsPerConnectionMax,
            range: 1...1_000_000_000,
            help: "then the connection ends"
        ),
        Count(
            name: "body-rate-min",
            bound: \.bodyRateMin,
            range: 0...(1 << 30),
            help: "bytes a second that a body must bring; else 408"
        ),
        Count(
            name: "reply-rate-min",
            bound: \.replyRateMin,
            range: 0...(1 << 30),
            help: "bytes a second that a visitor must take of a reply"
        ),
    ]

    static let times = [
        Time(
            name: "head-time",
            bound: \.headTime,
            range: short,
            help: "from the first byte of a head to its end; else 408"
        ),
        Time(name: "body-time", bound: \.bodyTime, range: long, help: "how long a body may take in all; else 408"),
        Time(
            name: "body-grace-time",
            bound: \.bodyGraceTime,
            range: short,
            help: "how long a body may be slower than its least rate"
        ),
        Time(
            name: "idle-time",
            bound: \.idleTime,
            range: short,
            help: "how long a connection may wait between two requests"
        ),
        Time(
            name: "stall-time",
            bound: \.stallTime,
            range: short,
            help: "how long a visitor may take nothing of a reply, or less than its least rate"
        ),
        Time(
            name: "linger-time",
            bound: \.lingerTime,
            range: short,
            help: "how long unread bytes are thrown away after a last reply"
        ),
    ]

    /// A position within a head, with its target written once more behind it, fits in 16 bits.
    private static let headBytesHighest = 32_000
    private static let short: ClosedRange<Duration> = .milliseconds(100)...(.seconds(600))
    private static let long: ClosedRange<Duration> = .milliseconds(100)...(.seconds(3600))

    package static let keys: [Settings.Key] = {
        let standard = EdgeLimits()
        return counts.map { .init($0.name, String(standard[keyPath: $0.bound]), $0.help) }
            + times.map { .init($0.name, text(standard[keyPath: $0.bound]), $0.help) }
    }()

    package static func read(_ settings: Settings) throws -> EdgeLimits {
        var limits = EdgeLimits()
        for count in counts { limits[keyPath: count.bound] = try settings.integer(count.name, in: count.range) }
        for time in times {
            limits[keyPath: time.bound] = TimeAmount(try settings.duration(time.name, in: time.range))
        }
        return limits
    }

    /// As `Settings` reads it.
    private static func text(_ time: TimeAmount) -> String {
        let milliseconds = time.nanoseconds / 1_000_000
        return milliseconds % 1000 == 0 ? "\(milliseconds / 1000)s" : "\(milliseconds)ms"
    }
}
