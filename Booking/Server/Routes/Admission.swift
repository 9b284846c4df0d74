import Foundation
import Operations
import Ordering
import UsherAPI

/// What the gateway that leads a room asks each second: what can still be had, and how well is the shop?
struct Admission: Sendable {
    let catalogue: CatalogueCache
    let holds: any HoldStore
    let orders: any OrderStore
    let shop: Shop

    private static let prefix = "/internal/v1/sessions/"
    private static let suffix = "/admission"

    func answer(path: String) async -> OperationsReply? {
        guard path.hasPrefix(Self.prefix), path.hasSuffix(Self.suffix) else { return nil }
        let text = path.dropFirst(Self.prefix.count).dropLast(Self.suffix.count)
        guard let id = SessionID(text), let session = catalogue.session(id) else { return nil }
        do {
            let counts = try await holds.counts(of: id)
            let sagas = try await orders.sagaCounts(stuckAfter: .seconds(3600)).open
            let waiting = try await shop.purchases.queue?.backlog.size().count ?? 0
            let report = AdmissionReport(
                state: session.state.rawValue,
                free: counts.free,
                held: counts.held,
                pending: counts.pending,
                holdP99MS: shop.latency.p99,
                sagaBacklog: sagas + waiting,
                paymentErrorRate: shop.health.errorRate,
                asOf: Clock.system.now().text
            )
            let body = String(decoding: Reply.encode(report), as: UTF8.self)
            return OperationsReply(status: 200, contentType: "application/json", body: body)
        } catch {
            return OperationsReply(status: 503, body: "\(error)\n")
        }
    }
}
