import Ordering
import ServiceLifecycle
import Synchronization

/// Rounds of work that one process at a time does: soon after a kick, and now and then without one. The lease spares
/// other processes the same work; that nothing is done twice rests on the work itself.
final class LeasedRounds: Sendable {
    private static let leaseLength = Duration.seconds(5)
    /// How soon a kick is noticed, how often to look without one, and how often to count.
    private static let tick = Duration.milliseconds(10)
    private static let ticksBetweenLooks = 25
    private static let ticksBetweenCounts = 100

    private let name: String
    private let owner: String
    private let leases: any CatalogueStore
    private let isKicked = Atomic<Bool>(false)

    init(_ name: String, of owner: String, leases: any CatalogueStore) {
        self.name = name
        self.owner = owner
        self.leases = leases
    }

    /// Says that there is something to do.
    func kick() { isKicked.store(true, ordering: .relaxed) }

    /// Until the service is to stop. `count` is called once a second, whoever has the lease.
    func run(
        counting count: @escaping @Sendable () async -> Void = {},
        _ round: @escaping @Sendable () async -> Void
    ) async {
        await cancelWhenGracefulShutdown { [self] in
            var ticks = 0
            var leasedUntil = ContinuousClock.now
            while !Task.isCancelled {
                if ticks % Self.ticksBetweenCounts == 0 { await count() }
                let isDue = ticks % Self.ticksBetweenLooks == 0
                if isKicked.exchange(false, ordering: .relaxed) || isDue {
                    if leasedUntil - ContinuousClock.now < Self.leaseLength / 2 { leasedUntil = await lease() }
                    if leasedUntil > ContinuousClock.now { await round() }
                }
                ticks += 1
                guard await Pause.isOver(after: Self.tick) else { return }
            }
        }
    }

    private func lease() async -> ContinuousClock.Instant {
        let asked = ContinuousClock.now
        let isOurs = try? await leases.lease(name, owner: owner, lasting: Self.leaseLength)
        return isOurs == true ? asked + Self.leaseLength : asked
    }
}
