import Ordering
import QueueTokens
import Signing
import UsherAPI

/// Orders and tickets as buyers see them: the whole order with its show, session, seats, total and seconds left.
struct OrderReplies: Sendable {
    let catalogue: CatalogueCache
    let ticketKeys: KeyRing

    /// A ticket's code stays good until a day after its session began.
    private static let codeLifetime = Duration.seconds(86_400)

    func reply(for order: Order, at now: Moment) throws -> OrderReply {
        guard let session = catalogue.session(order.session), let show = catalogue.show(session.show) else {
            throw Refusal(.storeUnavailable, "the catalogue is not loaded yet; try again")
        }
        let isWaiting = [.processing, .pending, .authorizing].contains(order.state)
        let left = isWaiting ? max(0, (order.deadline - now).milliseconds / 1000) : 0
        return OrderReply(
            id: "\(order.id)",
            state: order.state.isSold && order.refunds.contains { $0.state.isUnderWay && !$0.shares.isEmpty }
                ? "refunding" : order.state.rawValue,
            show: .init(id: "\(show.id)", title: show.title),
            session: .init(id: "\(session.id)", title: session.title, startsAt: session.startsAt.text),
            seats: order.items.map { .init(seat: $0.name, area: $0.area, price: $0.price.reply) },
            total: order.total.reply,
            createdAt: order.createdAt.text,
            payBy: order.deadline.text,
            secondsLeft: Int(left),
            payment: order.payment.map { reply(for: $0) },
            tickets: try order.tickets.map { try reply(for: $0) },
            refunds: order.refunds.map { reply(for: $0) },
            disputed: order.isDisputed,
            failureCode: order.failureCode
        )
    }

    func reply(for refund: Refund) -> RefundReply {
        RefundReply(
            id: "\(refund.id)",
            orderID: "\(refund.order)",
            state: refund.state.rawValue,
            kind: refund.kind.rawValue,
            amount: refund.amount.reply,
            fee: Money(refund.fee, refund.amount.currency).reply,
            tickets: refund.shares.map { "\($0.ticket)" },
            reason: refund.reason,
            failureCode: refund.failureCode,
            createdAt: refund.createdAt.text
        )
    }

    func reply(for payment: Payment) -> PaymentReply {
        PaymentReply(
            id: "\(payment.id)",
            orderID: "\(payment.order)",
            state: payment.state.rawValue,
            amount: payment.amount.reply,
            declineCode: payment.declineCode,
            nextAction: payment.state == .requiresAction ? payment.action.map(Self.reply) : nil,
            refunded: payment.refunded == 0 ? nil : Money(payment.refunded, payment.amount.currency).reply
        )
    }

    private static func reply(for action: PaymentAction) -> PaymentReply.NextAction {
        PaymentReply.NextAction(
            type: action.kind.rawValue,
            url: action.kind == .redirect ? action.value : nil,
            code: action.kind == .code ? action.value : nil,
            clientSecret: action.kind == .script ? action.value : nil
        )
    }

    func reply(for ticket: Ticket) throws -> TicketReply {
        TicketReply(
            id: "\(ticket.id)",
            orderID: "\(ticket.order)",
            sessionID: "\(ticket.session)",
            seat: ticket.name,
            number: ticket.number,
            state: ticket.state.rawValue,
            code: ticket.state == .valid ? try code(of: ticket) : nil
        )
    }

    private func code(of ticket: Ticket) throws -> String {
        guard let session = catalogue.session(ticket.session), let sessionID = UUIDv7(bytes: ticket.session.bytes),
            let ticketID = UUIDv7(bytes: ticket.id.bytes)
        else { throw Refusal(.storeUnavailable, "the catalogue is not loaded yet; try again") }
        let end = session.startsAt + Self.codeLifetime
        return try TicketCode(
            session: sessionID,
            ticket: ticketID,
            generation: UInt16(clamping: ticket.generation),
            validUntil: UInt32(clamping: end.milliseconds / 1000)
        ).encode(with: ticketKeys)
    }
}
