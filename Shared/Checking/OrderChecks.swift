// Promises about orders, seats and tickets that PostgreSQL alone must keep.

import Ordering

extension BookingFacts {
    /// All findings about orders, seats, tickets, quotas and the outbox.
    package func findings() -> [Finding] {
        [
            oneOwner(), soldIsPaid(), ordersDecided(), ordersComplete(), moneyFitsOrders(), sagasFinished(),
            refundSums(), refundTickets(), quotasExact(), eventsTold(),
        ]
    }

    private var claimsByOrder: [OrderID: [Claim]] {
        Dictionary(grouping: claims.filter { $0.order != nil }, by: { $0.order ?? OrderID(high: 0, low: 0) })
    }

    package func oneOwner() -> Finding {
        var finding = Finding("seats.one-owner", "Each seat has at most one claim and at most one live ticket.")
        var owners: [Seat: OrderID?] = [:]
        for claim in claims {
            let other = owners.updateValue(claim.order, forKey: claim.seat)
            finding.expect(other == nil, "\(claim.seat) is claimed by \(claim.order, or: "nobody") and another order")
        }
        var holders: [Seat: TicketID] = [:]
        for ticket in tickets where ticket.state != .void {
            let other = holders.updateValue(ticket.id, forKey: ticket.seat)
            finding.expect(other == nil, "\(ticket.seat) has tickets \(ticket.id) and \(other, or: "")")
        }
        var numbers: Set<String> = []
        for ticket in tickets {
            finding.expect(numbers.insert(ticket.number).inserted, "ticket number \(ticket.number) is given twice")
        }
        return finding
    }

    package func soldIsPaid() -> Finding {
        var finding = Finding("seats.sold-is-paid", "Sold seats, valid tickets and items of paid orders are the same.")
        struct Sale: Hashable {
            var seat: Seat
            var order: OrderID
        }
        let gone = Set(tickets.filter { $0.state == .void }.map { Sale(seat: $0.seat, order: $0.order) })
        let paid = orders.values.filter(\.state.isSold)
        // Of an order that was given back in part, what was not given back.
        let items = Set(
            paid.flatMap { order in
                order.seats.map { Sale(seat: $0, order: order.id) }
                    .filter { order.state == .paid || !gone.contains($0) }
            }
        )
        let valid = Set(tickets.filter { $0.state == .valid }.map { Sale(seat: $0.seat, order: $0.order) })
        // A sold seat of a confirmed order is on its way: its money is being captured.
        let sold = Set(
            claims.filter { $0.state == .sold }.compactMap { claim in
                claim.order.flatMap { orders[$0]?.state == .confirmed ? nil : Sale(seat: claim.seat, order: $0) }
            }
        )
        finding.count(items.union(valid).union(sold).count)
        for (name, has, other, lacks) in [
            ("is in a paid order", items, "no valid ticket", valid),
            ("is in a paid order", items, "no sold claim", sold),
            ("has a valid ticket", valid, "no paid order", items),
            ("is sold", sold, "no paid order", items),
        ] {
            for sale in has.subtracting(lacks).sorted(by: { $0.seat < $1.seat }) {
                finding.report("\(sale.seat) of \(sale.order) \(name) and has \(other)")
            }
        }
        return finding
    }

    package func ordersDecided() -> Finding {
        var finding = Finding("orders.decided", "No order that was accepted still waits to be decided.")
        for order in orders.values.sorted(by: { $0.id < $1.id }) {
            finding.expect(order.state != .processing, "\(order.id) of \(order.account) waits")
        }
        return finding
    }

    package func ordersComplete() -> Finding {
        var finding = Finding(
            "orders.complete",
            "Each order has exactly the claims and tickets of its state: all of its seats or none."
        )
        let claimed = claimsByOrder
        let issued = Dictionary(grouping: tickets.filter { $0.state != .void }, by: \.order)
        for order in orders.values.sorted(by: { $0.id < $1.id }) {
            let wanted = order.state.belongings
            let claims = claimed[order.id] ?? []
            let tickets = issued[order.id] ?? []
            let isPartial = order.state == .partiallyRefunded
            // Given back in part: some of its seats, and for each a claim and a ticket.
            let seats = isPartial ? order.seats.intersection(tickets.map(\.seat)) : order.seats
            let fits =
                Set(claims.map(\.seat)) == (wanted.claims == nil ? [] : seats)
                && claims.allSatisfy { $0.state == wanted.claims }
                && Set(tickets.map(\.seat)) == (wanted.tickets == nil ? [] : seats)
                && tickets.allSatisfy { $0.state == wanted.tickets } && !seats.isEmpty
            finding.expect(
                fits,
                "\(order.id) is \(order.state.rawValue) with \(seats.count) seats, claims "
                    + "\(Self.tally(claims.map(\.state.rawValue))), tickets \(Self.tally(tickets.map(\.state.rawValue)))"
            )
        }
        for order in Set(claimed.keys).union(issued.keys).subtracting(orders.keys).sorted() {
            finding.report("\(order) has claims or tickets and does not exist")
        }
        return finding
    }

    package func moneyFitsOrders() -> Finding {
        var finding = Finding(
            "orders.money",
            "Each order has the payment of its state, of exactly its total; captured and paid go together."
        )
        let live = Dictionary(grouping: payments.filter(\.state.isLive), by: \.order)
        for order in orders.values.sorted(by: { $0.id < $1.id }) {
            let payments = live[order.id] ?? []
            let states = payments.map(\.state)
            let isFree = order.total.amountMinor == 0 && order.state.isPaidFor
            finding.expect(
                (order.state.payments.contains(states) || isFree && states.isEmpty),
                "\(order.id) is \(order.state.rawValue) with payments \(Self.tally(states.map(\.rawValue)))"
            )
            let sum = order.items.values.reduce(0, +)
            finding.expect(
                sum == order.total.amountMinor,
                "\(order.id) costs \(order.total.amountMinor) and its items \(sum)"
            )
            for payment in payments where payment.state == .captured {
                let beyond = refunds.filter { $0.payment == payment.id && $0.kind == .difference }
                    .reduce(0) { $0 + $1.amount }
                finding.expect(
                    payment.captured - beyond == order.total.amountMinor
                        && payment.amount.currency == order.total.currency,
                    "\(payment.id) captured \(payment.captured) \(payment.amount.currency) for \(order.id) of "
                        + "\(order.total.amountMinor) \(order.total.currency)"
                )
            }
        }
        for payment in payments where orders[payment.order] == nil {
            finding.report("\(payment.id) is for \(payment.order), which does not exist")
        }
        return finding
    }

    package func sagasFinished() -> Finding {
        var finding = Finding("payments.finished", "No payment is left half done.")
        for payment in payments {
            finding.expect(!payment.state.isOpen, "\(payment.id) of \(payment.order) is \(payment.state.rawValue)")
        }
        return finding
    }

    package func refundSums() -> Finding {
        var finding = Finding(
            "refunds.sums",
            "What each payment gave back is the sum of its refunds, and no more than was taken; none is left half done."
        )
        let byPayment = Dictionary(grouping: refunds.filter { $0.payment != nil }) { $0.payment }
        for payment in payments {
            let own = byPayment[payment.id] ?? []
            func sum(_ states: Set<RefundState>) -> Int64 {
                own.filter { states.contains($0.state) }.reduce(0) { $0 + $1.amount }
            }
            let fits =
                payment.refunded == sum([.succeeded]) && payment.settled == sum([.settledManually])
                && payment.refunding == sum([.requested, .submitting, .pending])
                && payment.refunded + payment.refunding + payment.settled <= payment.captured
            finding.expect(
                fits,
                "\(payment.id) captured \(payment.captured), refunded \(payment.refunded), refunding "
                    + "\(payment.refunding), settled \(payment.settled); its refunds are "
                    + Self.tally(own.map { "\($0.state.rawValue) \($0.amount)" })
            )
        }
        for refund in refunds where refund.state == .submitting {
            finding.report("\(refund.id) is submitting")
        }
        return finding
    }

    package func refundTickets() -> Finding {
        var finding = Finding(
            "refunds.tickets",
            "A ticket that was given back is void, and given back once."
        )
        let known = Dictionary(tickets.map { ($0.id, $0) }) { first, _ in first }
        var holders: [TicketID: RefundID] = [:]
        finding.count(refunds.count)
        for refund in refunds where ![.failed, .rejected].contains(refund.state) {
            for ticket in refund.tickets {
                let other = holders.updateValue(refund.id, forKey: ticket)
                finding.expect(other == nil, "\(ticket) is in \(refund.id) and \(other, or: "")")
                guard refund.state == .succeeded || refund.state == .settledManually else { continue }
                finding.expect(
                    known[ticket]?.state == .void,
                    "\(ticket) of \(refund.id) is \(known[ticket]?.state.rawValue, or: "not there")"
                )
            }
        }
        return finding
    }

    package func quotasExact() -> Finding {
        var finding = Finding("quotas.exact", "What each buyer used of a session's limit is what they have claimed.")
        struct Key: Hashable {
            var session: SessionID
            var account: AccountID
        }
        var claimed: [Key: Int] = [:]
        for claim in claims {
            guard let order = claim.order.flatMap({ orders[$0] }) else { continue }
            claimed[Key(session: claim.seat.session, account: order.account), default: 0] += 1
        }
        for quota in quotas {
            let count = claimed.removeValue(forKey: Key(session: quota.session, account: quota.account)) ?? 0
            finding.expect(
                quota.used == count && quota.used <= quota.limit,
                "\(quota.account) has used \(quota.used) of \(quota.limit) in \(quota.session) and claimed \(count)"
            )
        }
        for (key, count) in claimed {
            finding.expect(false, "\(key.account) claimed \(count) in \(key.session) and has no quota")
        }
        return finding
    }

    package func eventsTold() -> Finding {
        var finding = Finding(
            "outbox.complete",
            "Each order's events are numbered without a gap, and Redis has been told of all of them."
        )
        for order in orders.values.sorted(by: { $0.id < $1.id }) {
            finding.expect(
                order.eventCount == order.version && order.lastEvent == order.version,
                "\(order.id) has \(order.eventCount) events up to \(order.lastEvent), its last is \(order.version)"
            )
        }
        if waitingProjections > 0 { finding.report("\(waitingProjections) decisions wait to be shown in Redis") }
        return finding
    }

    private static func tally(_ words: [String]) -> String {
        guard !words.isEmpty else { return "none" }
        return Dictionary(grouping: words, by: { $0 }).sorted { $0.key < $1.key }
            .map { "\($0.value.count) \($0.key)" }.joined(separator: ", ")
    }
}

extension OrderState {
    /// The claims and tickets an order of this state has for each of its seats; `nil` for none.
    fileprivate var belongings: (claims: BookingFacts.Claim.State?, tickets: Ticket.State?) {
        switch self {
        case .processing: (nil, nil)
        case .pending, .authorizing, .authorized: (.pending, nil)
        case .confirmed: (.sold, .pending)
        case .paid, .partiallyRefunded: (.sold, .valid)
        case .refunded, .chargedBack, .cancelled, .expired, .failed: (nil, nil)
        }
    }

    /// Its price was paid once, whatever was given back since.
    fileprivate var isPaidFor: Bool {
        switch self {
        case .paid, .partiallyRefunded, .refunded, .chargedBack: true
        default: false
        }
    }

    /// The live payments an order of this state may have.
    fileprivate var payments: [[PaymentState]] {
        switch self {
        case .processing, .pending: [[]]
        case .authorizing: [[.authorizing], [.requiresAction], [.unknown], [.authorized], [.voiding]]
        case .authorized: [[.authorized]]
        case .confirmed: [[.capturing]]
        case .paid, .partiallyRefunded, .refunded, .chargedBack: [[.captured]]
        case .cancelled, .expired, .failed: [[], [.voiding]]
        }
    }
}

extension String.StringInterpolation {
    mutating func appendInterpolation<Value>(_ value: Value?, or other: String) {
        if let value { appendInterpolation(value) } else { appendLiteral(other) }
    }
}
