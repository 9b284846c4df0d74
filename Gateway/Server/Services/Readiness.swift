import Synchronization

/// Whether the gateway is on its way out: balancers should look elsewhere.
package final class Readiness: Sendable {
    private let draining = Atomic<Bool>(false)

    package init() {}

    package var isDraining: Bool { draining.load(ordering: .relaxed) }
    @Sendable package func beginDrain() { draining.store(true, ordering: .relaxed) }
}
