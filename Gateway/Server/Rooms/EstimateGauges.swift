// Which rooms this gateway leads, and how well the waits that it told to visitors came true.
package import Operations
import Queueing

package struct EstimateGauges: Sendable {
    private let registry: MetricsRegistry

    package init(_ registry: MetricsRegistry) {
        self.registry = registry
    }

    func set(leads: Bool, _ room: RoomName) {
        registry.gauge(
            "usher_gateway_room_leads",
            "1 while this gateway leads the room, by its last tick.",
            labels: ["room": room.text]
        ).set(leads ? 1 : 0)
    }

    func set(_ score: EstimateScore, of room: RoomName) {
        guard let coverage = score.p90Coverage, let error = score.medianRelativeError else { return }
        func gauge(_ name: String, _ help: String) -> Gauge {
            registry.gauge("usher_gateway_room_eta_\(name)", help, labels: ["room": room.text])
        }
        gauge("p90_coverage", "Share of the last scored waits that were at most the p90 told.").set(coverage)
        gauge("median_relative_error", "Median of |wait - p50| / wait over the last scored waits.").set(error)
        gauge("scored", "Estimates scored since this gateway leads the room.").set(Double(score.scoredCount))
    }
}
