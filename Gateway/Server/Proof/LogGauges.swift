// Arrival logs in numbers.
package import Operations
import Queueing

package struct LogGauges: Sendable {
    let signed: Counter
    private let registry: MetricsRegistry

    package init(_ registry: MetricsRegistry) {
        self.registry = registry
        signed = registry.counter("usher_gateway_checkpoints_signed_total", "Checkpoints of arrival logs signed here.")
    }

    func set(_ log: RoomLog) {
        func gauge(_ name: String, _ help: String) -> Gauge {
            registry.gauge("usher_gateway_room_\(name)", help, labels: ["room": log.room.text])
        }
        gauge("log_entries", "Entries of the arrival log that are kept here.").set(Double(log.count))
        gauge("signed_entries", "Entries the newest checkpoint covers.").set(Double(log.signedSize))
        gauge("log_fault", "1 while the arrival log is not what was signed.").set(log.hold?.isFault == true ? 1 : 0)
    }
}
