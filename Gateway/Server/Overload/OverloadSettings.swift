package import Operations
package import RateLimiting

package struct OverloadSettings: Sendable {
    /// What the process may use.
    package var memoryBytesMax: Int
    package var thresholds: OverloadPolicy.Thresholds

    package static let keys: [Settings.Key] = [
        .init(
            "memory-max",
            "auto",
            "memory the gateway may use, such as 512m or 2g; auto: its control group's or 3/4 of all"
        ),
        .init("overload-lag", "50ms", "how late an event loop may run before load is shed"),
    ]

    package init(_ settings: Settings) throws {
        memoryBytesMax = try Self.memory(settings)
        let lag = try settings.duration("overload-lag", in: .milliseconds(1)...(.seconds(60)))
        thresholds = OverloadPolicy.Thresholds(lagMS: lag / .milliseconds(1))
    }

    private static func memory(_ settings: Settings) throws -> Int {
        let text = try settings.string("memory-max")
        if text == "auto" { return ProcessMemory.bytesMax() }
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let units = ["k": 10, "m": 20, "g": 30]
        guard let shift = units[String(text.dropFirst(digits.count))], let count = Int(digits), count < 1 << 30,
            count << shift >= 16 << 20
        else { throw settings.malformed("memory-max", "auto, or at least 16m, such as 512m or 2g") }
        return count << shift
    }
}
