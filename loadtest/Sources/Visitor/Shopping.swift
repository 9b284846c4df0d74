// In the shop: seats, hold, order, payment, tickets.
import UsherAPI

extension Visitor {
    static let picksMax = 10
    /// How many orders a visitor places when the ones before ended unpaid.
    static let ordersMax = 5
    static let paymentsMax = 5
    static let goodCard = "pm_card_visa"
    static let declinedCard = "pm_card_visa_chargeDeclined"

    private enum Holding {
        case hold(HoldReply)
        case passEnded
        case noLuck
    }

    enum Outcome {
        case sold(OrderReply)
        case declined
        case lost
    }

    /// Nil when the pass ended before anything was bought.
    func shop() async throws(Departure) -> Ending? {
        var wanted = min(traits.want, sale.limitPerBuyer)
        for _ in 0..<Self.ordersMax {
            let hold: HoldReply
            switch try await holdSeats(&wanted) {
            case .hold(let held): hold = held
            case .passEnded: return nil
            case .noLuck: return .gaveUpPicking
            }
            if traits.leavesAt == .holding { return .abandoned(at: .holding) }
            let body = try encoded(OrderRequest(holdID: hold.id))
            let request = Request.post(Path.orders(sale.session), body).with(HeaderName.idempotencyKey, newKey())
            let (reaction, reply) = try await recording(order: hold) { () async throws(Departure) in
                try await ask(.order, request)
            }
            if reaction == .claimAgain { return nil }
            guard reaction == .goOn, let reply else { continue }
            let order: OrderReply = try decoded(reply)
            if traits.leavesAt == .ordered { return .abandoned(at: .ordered) }
            switch try await recording(payment: order, { () async throws(Departure) in try await pay(order) }) {
            case .sold(let paid): return try await fetchTickets(of: paid)
            case .declined: return .declined
            case .lost: continue
            }
        }
        return .refused(at: .order, code: "orders_lost")
    }

    private func holdSeats(_ wanted: inout Int) async throws(Departure) -> Holding {
        for attempt in 0..<Self.picksMax {
            guard let wish = try await wish(wanted, isFirst: attempt == 0) else { return .passEnded }
            try await think()
            let body = try encoded(wish)
            let request = Request.post(Path.holds(sale.session), body).with(HeaderName.idempotencyKey, newKey())
            let (reaction, reply) = try await recording(hold: wish.seats ?? []) { () async throws(Departure) in
                try await ask(.hold, request)
            }
            switch reaction {
            case .goOn:
                guard let reply else { continue }
                return .hold(try decoded(reply))
            case .claimAgain: return .passEnded
            case .fewerFree:
                guard wanted > 1 else { throw Departure(ending: .toldSoldOut(at: .hold)) }
                wanted -= 1
            case .wantFewer:
                guard wanted > 1 else { throw Departure(ending: .refused(at: .hold, code: "purchase_limit_exceeded")) }
                wanted -= 1
            default: continue
            }
        }
        return .noLuck
    }

    /// What to ask for, nil when the pass ended: the best there are, after one look at the map as people do. Whose history
    /// is recorded picks from the map by hand, so that it is known what was asked for.
    private func wish(_ wanted: Int, isFirst: Bool) async throws(Departure) -> SeatsRequest? {
        let best = SeatsRequest(best: .init(quantity: wanted))
        if sale.recorder == nil, !isFirst { return best }
        let called = SaleRecorder.now()
        let (reaction, reply) = try await ask(.seats, .get(Path.seats(sale.session)))
        guard reaction == .goOn, let reply else { return nil }
        guard let recorder = sale.recorder else { return best }
        let map: SeatMapReply = try decoded(reply)
        recorder.noteLook(map, called: called)
        guard let seats = SeatChoice.choose(wanted, from: map, using: &chance) else {
            throw Departure(ending: .toldSoldOut(at: .seats))
        }
        return SeatsRequest(seats: seats)
    }

    private func pay(_ order: OrderReply) async throws(Departure) -> Outcome {
        var card = traits.triesDeclinedCard ? Self.declinedCard : Self.goodCard
        for _ in 0..<Self.paymentsMax {
            try await think()
            let body = try encoded(PaymentRequest(paymentMethod: card))
            let request = Request.post(Path.payments(order.id), body).with(HeaderName.idempotencyKey, newKey())
            let (reaction, _) = try await ask(.pay, request)
            switch reaction {
            case .declined:
                guard card == Self.declinedCard else { return .declined }
                card = Self.goodCard
                continue
            case .pickAgain: return .lost
            default: break
            }
            if let outcome = try await settle(order.id) { return outcome }
            card = Self.goodCard
        }
        return .declined
    }

    /// Looks at the order until it has ended; nil when it waits for another payment.
    private func settle(_ order: String) async throws(Departure) -> Outcome? {
        var pause = Duration.milliseconds(50)
        while true {
            let (_, reply) = try await ask(.settle, .get(Path.order(order)))
            guard let reply else { return .lost }
            let found: OrderReply = try decoded(reply)
            switch found.state {
            case "paid": return .sold(found)
            case "cancelled", "expired", "failed": return .lost
            case "pending" where ["failed", "voided"].contains(found.payment?.state ?? "failed"): return nil
            default: break
            }
            try await wait(pause)
            pause = min(pause * 2, .seconds(1))
        }
    }

    private func fetchTickets(of order: OrderReply) async throws(Departure) -> Ending {
        var attempt = 0
        while true {
            let list: ListReply<TicketReply> = try decoded(try await insist(.tickets, .get("/v1/tickets?limit=50")))
            let mine = list.data.filter { $0.orderID == order.id && $0.state == "valid" && $0.code != nil }
            let seats = order.seats.map(\.seat)
            if Set(mine.map(\.seat)) == Set(seats) { return .sold(seats: seats, order: order.id) }
            attempt += 1
            guard attempt < Self.picksMax else { return .refused(at: .tickets, code: "tickets_missing") }
            try await wait(.milliseconds(200))
        }
    }

    private func newKey() -> String { Self.randomHex(bytes: 16) }
}
