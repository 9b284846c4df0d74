// What goes on with money by itself: refunds left behind, events not finished with, sessions called off, alarms.

import Logging
import Operations
import Ordering
import ServiceLifecycle

/// Resumes refunds whose process went away or whose time to look again has come.
struct RefundKeeper: Service {
    let refunds: any RefundStore
    let refunding: Refunding
    let owner: String
    let lease: Duration
    let interval: Duration
    let logger: Logger

    static let batchMax = 32

    func run() async throws {
        await Pause.between(rounds: interval) { await rescue() }
    }

    private func rescue() async {
        do throws(StoreFailure) {
            var count = Self.batchMax
            while count == Self.batchMax, !Task.isCancelled {
                let work = try await refunds.lease(owner: owner, lease: lease, limit: Self.batchMax)
                count = work.count
                await withDiscardingTaskGroup { group in
                    for item in work { group.addTask { await refunding.drive(item.refund) } }
                }
            }
        } catch {
            logger.warning("refunds not read", metadata: ["error": "\(error)"])
        }
    }
}

/// Goes on with the provider's events that nobody could finish with.
struct EventKeeper: Service {
    let events: any ProviderEventStore
    let news: ProviderNews
    let interval: Duration
    let logger: Logger

    static let batchMax = 64

    func run() async throws {
        await Pause.between(rounds: interval) {
            do throws(StoreFailure) {
                for event in try await events.due(limit: Self.batchMax) {
                    try await news.resume(event.id, body: event.body, isOver: event.isOver)
                }
            } catch {
                logger.warning("events not handled", metadata: ["error": "\(error)"])
            }
        }
    }
}

/// Carries on with sessions that are called off, one process at a time.
struct CancellationKeeper: Service {
    let calling: CallingOff
    let catalogue: any CatalogueStore
    let owner: String
    let lease: Duration
    let interval: Duration
    let logger: Logger

    private static let leaseName = "session-cancellation"

    func run() async throws {
        await Pause.between(rounds: interval) {
            do {
                if try await catalogue.lease(Self.leaseName, owner: owner, lasting: lease) {
                    try await calling.carryOn()
                }
            } catch {
                logger.warning("cancellation not carried on", metadata: ["error": "\(error)"])
            }
        }
    }
}

/// Counts sagas with work to do, and says so when somebody must look at one.
struct SagaWatch: Service {
    let orders: any OrderStore
    let stuckAfter: Duration
    let open: Gauge
    let stuck: Gauge
    let interval: Duration
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var before = 0
            while !Task.isCancelled {
                if let counts = try? await orders.sagaCounts(stuckAfter: stuckAfter) {
                    open.set(Double(counts.open))
                    stuck.set(Double(counts.stuck))
                    if counts.stuck > before {
                        logger.error("sagas are stuck: somebody must look", metadata: ["count": "\(counts.stuck)"])
                    }
                    before = counts.stuck
                }
                guard await Pause.isOver(after: interval) else { return }
            }
        }
    }
}
