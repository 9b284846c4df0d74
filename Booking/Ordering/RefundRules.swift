// Which refunds may be asked for, and what they come to: no clock, no store.

package struct RefundWish: Sendable, Equatable {
    /// `nil` stands for all that can be given back.
    package var tickets: [TicketID]?
    /// Staff may name an amount instead of tickets.
    package var amount: Int64?
    package var reason: String
    package var isByStaff: Bool
    /// Staff insist: also used tickets, and after the time is over.
    package var isForced: Bool

    package init(
        tickets: [TicketID]? = nil,
        amount: Int64? = nil,
        reason: String,
        isByStaff: Bool = false,
        isForced: Bool = false
    ) {
        self.tickets = tickets
        self.amount = amount
        self.reason = reason
        self.isByStaff = isByStaff
        self.isForced = isForced
    }
}

package enum RefundRefusal: Error, Sendable, Equatable {
    case orderState(OrderState)
    case disputed
    /// Not in this order.
    case unknownTicket
    /// Used, void, or in a refund.
    case ticketState(TicketState)
    case windowOver
    case notOffered
    case nothingLeft
    case tooMuch(left: Int64)
    case amountNotAllowed
}

package enum RefundRules {
    /// What a wish comes to. Buyers ask before the session begins (`sessionStart`).
    package static func plan(
        _ wish: RefundWish,
        as id: RefundID,
        of order: Order,
        sessionStart: Moment,
        kind: Refund.Kind,
        at now: Moment
    ) throws(RefundRefusal) -> Refund {
        let payment = order.payment?.state == .captured ? order.payment : nil
        // An order that cost nothing has no payment, and its tickets can be given back all the same.
        let isFree = order.total.amountMinor == 0
        guard order.state.isSold, payment != nil || isFree else { throw .orderState(order.state) }
        guard !order.isDisputed else { throw .disputed }
        if !wish.isByStaff {
            guard order.refundTerms.mode != .none else { throw .notOffered }
            guard now < min(order.refundTerms.until ?? sessionStart, sessionStart) else { throw .windowOver }
        }
        let gone = order.refunds.filter {
            $0.payment == payment?.id && ($0.state.isUnderWay || $0.state == .succeeded || $0.state == .settledManually)
        }
        let left = (payment?.captured ?? 0) - gone.reduce(0) { $0 + $1.amount.amountMinor }
        let shares = try shares(wish, of: order, hasFee: !wish.isByStaff)
        var amount = wish.amount ?? shares.reduce(0) { $0 + $1.amount }
        // All that can be given back is never more than what is left.
        if wish.tickets == nil, wish.amount == nil { amount = min(amount, left) }
        guard amount <= left else { throw left == 0 ? .nothingLeft : .tooMuch(left: left) }
        guard amount > 0 || isFree && !shares.isEmpty else { throw .nothingLeft }
        let waits = !wish.isByStaff && order.refundTerms.mode == .staff
        var refund = Refund(
            id: id,
            order: order.id,
            payment: payment?.id,
            kind: kind,
            state: waits ? .requested : .submitting,
            amount: Money(amount, order.total.currency),
            fee: shares.reduce(0) { $0 + $1.fee },
            reason: wish.reason,
            shares: shares,
            createdAt: now
        )
        refund.paymentReference = payment?.reference
        return refund
    }

    private static func shares(
        _ wish: RefundWish,
        of order: Order,
        hasFee: Bool
    ) throws(RefundRefusal) -> [Refund.Share] {
        if wish.amount != nil {
            guard wish.isByStaff, wish.tickets == nil, wish.amount ?? 0 > 0 else { throw .amountNotAllowed }
            return []
        }
        let prices = Dictionary(order.items.map { ($0.seat, $0.price.amountMinor) }) { first, _ in first }
        let chosen: [Ticket]
        if let wanted = wish.tickets {
            guard Set(wanted).count == wanted.count, !wanted.isEmpty else { throw .unknownTicket }
            let known = Dictionary(order.tickets.map { ($0.id, $0) }) { first, _ in first }
            var found: [Ticket] = []
            for id in wanted {
                guard let ticket = known[id] else { throw .unknownTicket }
                guard mayGo(ticket, wish) else { throw .ticketState(ticket.state) }
                found.append(ticket)
            }
            chosen = found
        } else {
            chosen = order.tickets.filter { mayGo($0, wish) }
        }
        return chosen.sorted { $0.seat < $1.seat }.map { ticket in
            let price = prices[ticket.seat] ?? 0
            let fee = hasFee ? order.refundTerms.fee(on: price) : 0
            return Refund.Share(ticket: ticket.id, amount: price - fee, fee: fee)
        }
    }

    private static func mayGo(_ ticket: Ticket, _ wish: RefundWish) -> Bool {
        ticket.state == .valid || ticket.state == .checkedIn && wish.isForced
    }
}
