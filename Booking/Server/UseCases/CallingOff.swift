import Foundation
import Logging
import Ordering
import Signing

/// Carries on with sessions that are called off: open orders are cancelled, paid ones refunded in full, a batch at a time.
/// All it knows is in the database, so any process can go on with it.
struct CallingOff: Sendable {
    let jobs: any CancellationStore
    let orders: any OrderStore
    let refunding: Refunding
    let projector: SeatProjector
    let logger: Logger

    /// Orders looked at before the next breath.
    static let batchMax = 128

    /// One pass over every session that is not done.
    func carryOn() async throws {
        for job in try await jobs.openJobs() {
            var seat: SeatNumber?
            var seen: Set<OrderID> = []
            while true {
                let batch = try await jobs.orders(of: job.session, after: seat, limit: Self.batchMax)
                for item in batch where seen.insert(item.order).inserted { await end(item, reason: job.reason) }
                seat = batch.last?.seat
                if batch.count < Self.batchMax { break }
            }
            projector.kick()
            CrashPoint.before(.callOffFinished)
            let isFinished = try await jobs.finish(job.session)
            CrashPoint.after(.callOffFinished)
            if isFinished {
                logger.notice("session called off", metadata: ["session.id": "\(job.session)"])
            }
        }
    }

    /// One order; what cannot be done now is done in a later pass.
    private func end(_ item: CalledOffOrder, reason: String) async {
        do {
            switch item.state {
            case .pending, .authorizing, .authorized: _ = try await orders.cancel(item.order, by: item.account)
            case .paid, .partiallyRefunded: try await refund(item, reason: reason)
            default: break
            }
        } catch {
            logger.warning("order not ended", metadata: ["order.id": "\(item.order)", "error": "\(error)"])
        }
    }

    private func refund(_ item: CalledOffOrder, reason: String) async throws {
        guard let order = try await orders.order(item.order), !order.isDisputed else { return }
        // One at a time: what is under way decides what is left, and what failed waits for somebody.
        guard !order.refunds.contains(where: { $0.state.isUnderWay || $0.state == .failed }) else { return }
        let wish = RefundWish(reason: reason, isByStaff: true, isForced: true)
        let number = order.refunds.count
        let id = Refunding.id(for: item.account, order: item.order, key: "called off \(number)")
        _ = try await refunding.request(wish, of: order, as: id, kind: .sessionCancelled, by: nil)
    }
}
