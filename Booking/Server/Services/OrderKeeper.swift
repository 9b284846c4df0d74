import Logging
import Ordering
import ServiceLifecycle

/// Ends orders nobody paid in time.
struct OrderExpirer: Service {
    let orders: any OrderStore
    let projector: SeatProjector
    let interval: Duration
    let logger: Logger

    static let batchMax = 256

    func run() async throws {
        await Pause.between(rounds: interval) { await expire() }
    }

    private func expire() async {
        do throws(StoreFailure) {
            var ended = Self.batchMax
            while ended == Self.batchMax {
                CrashPoint.before(.expired)
                ended = try await orders.expireDue(limit: Self.batchMax)
                guard ended > 0 else { break }
                CrashPoint.after(.expired)
                projector.kick()
            }
        } catch {
            logger.warning("orders not expired", metadata: ["error": "\(error)"])
        }
    }
}

/// Resumes pay sagas whose process went away or whose time to look again has come.
struct SagaRescuer: Service {
    let orders: any OrderStore
    let saga: PaySaga
    let owner: String
    let lease: Duration
    let interval: Duration
    let logger: Logger

    static let batchMax = 32

    func run() async throws {
        await Pause.between(rounds: interval) { await rescue() }
    }

    /// One batch of lapsed sagas, side by side.
    private func rescue() async {
        do throws(StoreFailure) {
            let work = try await orders.leaseSagas(owner: owner, lease: lease, limit: Self.batchMax)
            await withDiscardingTaskGroup { group in
                for item in work {
                    group.addTask { await saga.drive(item) }
                }
            }
        } catch {
            logger.warning("sagas not read", metadata: ["error": "\(error)"])
        }
    }
}
