// Measures the gateway four times a second and sets the level of overload by the policy.
package import Logging
package import Operations
package import RateLimiting
import ServiceLifecycle

package struct OverloadWatch: Service {
    package typealias Measure = @Sendable () -> OverloadPolicy.Measurement

    /// Above this memory is given back to the system, as far as it is free inside.
    private static let giveBackAbove = 0.85
    private static let giveBackEvery = 40

    private let overload: Overload
    private let thresholds: OverloadPolicy.Thresholds
    private let interval: Duration
    private let measure: Measure
    private let lag: Gauge
    private let memory: Gauge
    private let logger: Logger

    package init(
        _ overload: Overload,
        thresholds: OverloadPolicy.Thresholds,
        interval: Duration = .milliseconds(250),
        metrics: MetricsRegistry,
        logger: Logger,
        measure: @escaping Measure
    ) {
        self.overload = overload
        self.thresholds = thresholds
        self.interval = interval
        self.measure = measure
        self.logger = logger
        lag = metrics.gauge("usher_overload_lag_seconds", "How late the slowest event loop runs what is due.")
        memory = metrics.gauge("usher_overload_memory_ratio", "Resident memory as a part of memory-max.")
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var policy = OverloadPolicy(thresholds)
            var level = OverloadLevel.normal
            var sinceGiveBack = Self.giveBackEvery
            while !Task.isCancelled {
                let measured = measure()
                lag.set(measured.lagMS / 1000)
                memory.set(measured.memory)
                sinceGiveBack += 1
                if measured.memory >= Self.giveBackAbove, sinceGiveBack >= Self.giveBackEvery {
                    ProcessMemory.giveBack()
                    sinceGiveBack = 0
                }
                let next = policy.take(measured)
                if next != level { note(next, after: level, measured) }
                level = next
                try? await Task.sleep(for: interval)
            }
        }
    }

    private func note(_ level: OverloadLevel, after old: OverloadLevel, _ measured: OverloadPolicy.Measurement) {
        overload.set(level)
        logger.log(
            level: level > old ? .warning : .notice,
            "overload",
            metadata: [
                "level": "\(level.name)", "before": "\(old.name)", "lag_ms": "\(Int(measured.lagMS))",
                "memory_percent": "\(Int(measured.memory * 100))",
            ]
        )
    }
}
