// The rooms' numbers for operators, set at each pull.
package import Operations
import Queueing

package struct RoomGauges: Sendable {
    private let registry: MetricsRegistry
    private let away: Gauge

    package init(_ registry: MetricsRegistry) {
        self.registry = registry
        away = registry.gauge("usher_gateway_store_away", "1 while the rooms cannot be pulled.")
    }

    func setAway(_ isAway: Bool) { away.set(isAway ? 1 : 0) }

    func set(_ rooms: [KnownRoom]) {
        for room in rooms { set(room) }
    }

    private func set(_ room: KnownRoom) {
        let snapshot = room.snapshot
        func gauge(_ name: String, _ help: String) -> Gauge {
            registry.gauge("usher_gateway_room_\(name)", help, labels: ["room": snapshot.name.text])
        }
        gauge("places", "Highest number issued.").set(Double(snapshot.lastNumber))
        gauge("cursor", "Highest rank called.").set(Double(snapshot.cursor))
        gauge("live_passes", "Passes that are live.").set(Double(snapshot.livePasses))
        gauge("active_max", "Most passes that may be live.").set(Double(snapshot.policy.admission.activeMax))
        gauge("granted", "Passes ever granted.").set(Double(room.granted))
        gauge("turned_up", "Called places that wait for room.").set(Double(snapshot.turnedUp.count))
        gauge("called_per_minute", "Smoothed moves of the cursor.").set(snapshot.ratePerMinute)
        let beyond =
            if case .unlikely(let rank) = snapshot.outlook { snapshot.lastNumber - min(rank, snapshot.lastNumber) } else
            { UInt64(0) }
        gauge("unlikely", "Places the seats will hardly last for.").set(Double(beyond))
        gauge("sold_out", "1 when nothing is left to buy.").set(snapshot.outlook == .gone ? 1 : 0)
    }
}
