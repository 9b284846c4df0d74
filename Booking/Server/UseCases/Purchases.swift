import Foundation
import Operations
import Ordering
import Signing
import UsherAPI

/// Holds and orders: from seats to an order that waits for its payment.
struct Purchases: Sendable {
    let catalogue: CatalogueCache
    let holds: any HoldStore
    let orders: any OrderStore
    /// `nil` when every order is decided before it is answered.
    let queue: OrderQueue?
    let projector: SeatProjector
    let replies: OrderReplies
    let holdTiming: Timing
    let latency: HoldLatency
    let clock: Clock
    let holdLifetime: Duration
    let holdExtensions: Int
    let holdTotal: Duration
    let holdCoolDown: Bool

    /// An order is only made of a hold with so much time left, else the hold is lengthened to it.
    private static let touchAtLeast = Duration.seconds(30)

    /// Where orders go that are accepted now and decided later.
    struct OrderQueue: Sendable {
        let backlog: any OrderBacklog
        let drain: BacklogDrain
        /// Seconds after which to ask again when nothing more is accepted.
        static let retryAfter = 2
    }

    struct Buyer: Sendable {
        var account: AccountID
        var pass: String?
    }

    struct OrderCall: Sendable {
        var request: OrderRequest
        var key: String
        var fingerprint: [UInt8]
        /// The buyer would rather wait for the order than for the answer.
        var isQueued = false
    }

    struct OrderAnswer: Sendable {
        var status: Int
        var body: [UInt8]
        var isReplayed: Bool
        /// Nothing more can be bought with this pass.
        var isLimitReached: Bool
    }

    func hold(_ request: SeatsRequest, in session: Session, for buyer: Buyer, key: String?) async throws -> Hold {
        guard session.state.isSelling else { throw Refusal(notSelling: session.state) }
        guard let layout = catalogue.layout(session.id) else { throw Refusal(.inventoryUnavailable) }
        let wish = try SeatWish(request, in: session, layout)
        let new = NewHold(
            id: holdID(for: buyer.account, session: session.id, key: key),
            session: session.id,
            account: buyer.account,
            selection: wish.selection,
            limit: session.limitPerBuyer,
            lifetime: holdLifetime,
            epoch: session.epoch,
            pass: buyer.pass,
            coolsDown: holdCoolDown
        )
        let started = ContinuousClock.now
        defer {
            let took = ContinuousClock.now - started
            holdTiming.record(took)
            latency.record(took)
        }
        do throws(HoldFailure) {
            return try await holds.place(new)
        } catch {
            throw Refusal(error, layout: layout)
        }
    }

    /// As much time again as a new hold has, as often as a buyer may ask.
    func extend(_ id: HoldID, in session: Session, by account: AccountID) async throws -> Hold {
        guard session.state.isSelling else { throw Refusal(notSelling: session.state) }
        let rule = HoldExtension(
            lifetime: holdLifetime,
            timesMax: holdExtensions,
            sinceMadeMax: holdTotal,
            epoch: session.epoch
        )
        do throws(HoldFailure) {
            return try await holds.extend(id, in: session.id, by: account, rule)
        } catch {
            throw Refusal(error, layout: catalogue.layout(session.id))
        }
    }

    func order(_ call: OrderCall, in session: Session, for buyer: Buyer) async throws -> OrderAnswer {
        let hold: Hold
        do {
            hold = try await heldSeats(call, in: session, for: buyer)
        } catch let refusal as Refusal {
            // A repeat of a call that was carried out finds its hold pinned or gone: give the first answer again.
            if let answer = try await replay(call, in: session, for: buyer) { return answer }
            throw refusal
        }
        return try await create(call, of: hold, in: session)
    }

    private func heldSeats(_ call: OrderCall, in session: Session, for buyer: Buyer) async throws -> Hold {
        switch (call.request.holdID, call.request.inline.isEmpty) {
        case (let text?, true):
            // Whether it ended, was lost with Redis, or is somebody else's is the same to a buyer: take seats again.
            let lost = Refusal(.holdLost, "there is no such hold of yours any more; take seats again")
            guard let id = HoldID(text) else { throw lost }
            do throws(HoldFailure) {
                return try await holds.touch(
                    id,
                    in: session.id,
                    by: buyer.account,
                    atLeast: Self.touchAtLeast,
                    epoch: session.epoch
                )
            } catch {
                throw error == .notFound ? lost : Refusal(error, layout: catalogue.layout(session.id))
            }
        case (nil, false):
            return try await self.hold(call.request.inline, in: session, for: buyer, key: call.key)
        default:
            throw Refusal(
                .validationFailed,
                "give either \"hold_id\" or one of \"seats\", \"best\" and \"areas\""
            )
        }
    }

    private func create(_ call: OrderCall, of hold: Hold, in session: Session) async throws -> OrderAnswer {
        guard session.state.isSelling else { throw Refusal(notSelling: session.state) }
        guard let layout = catalogue.layout(session.id) else { throw Refusal(.inventoryUnavailable) }
        let queue = call.isQueued ? queue : nil
        let now = clock.now()
        let items = hold.seats.sorted().map { seat in
            OrderItem(
                seat: seat,
                name: layout.name(of: seat),
                area: layout.section(of: seat).area,
                price: layout.price(of: seat)
            )
        }
        let order = Order(
            id: clock.makeID(),
            session: session.id,
            account: hold.account,
            hold: hold.id,
            state: queue == nil ? .pending : .processing,
            total: Money(items.reduce(0) { $0 + $1.price.amountMinor }, session.currency),
            createdAt: now,
            deadline: now + session.payWindow,
            items: items,
            payment: nil,
            tickets: []
        )
        guard !order.total.isBelowMinimum else { throw Refusal(tooLittle: order.total) }
        let body = Reply.encode(try replies.reply(for: order, at: now))
        let new = NewOrder(
            id: order.id,
            session: session.id,
            account: hold.account,
            hold: hold.id,
            fence: hold.fence,
            items: items,
            total: order.total,
            createdAt: now,
            deadline: order.deadline,
            limit: session.limitPerBuyer,
            idempotency: .init(
                scope: scope(hold.account, session.id),
                keyHash: SHA256.digest(Array(call.key.utf8)),
                fingerprint: call.fingerprint,
                replyStatus: queue == nil ? 201 : 202,
                replyBody: body
            )
        )
        if let queue { return try await accept(new, into: queue, hold: hold, in: session, layout: layout) }
        CrashPoint.before(.order)
        let creation = try await answered { () async throws(StoreFailure) in try await orders.create(new) }
        CrashPoint.after(.order)
        return try await answer(creation, of: new, hold: hold, in: session, layout: layout)
    }

    /// One cheap and durable step instead of the whole one: the hold is kept for the order until it is decided.
    private func accept(
        _ order: NewOrder,
        into queue: OrderQueue,
        hold: Hold,
        in session: Session,
        layout: SessionLayout
    ) async throws -> OrderAnswer {
        CrashPoint.before(.accepted)
        let creation = try await answered { () async throws(StoreFailure) in try await queue.backlog.accept(order) }
        CrashPoint.after(.accepted)
        if creation == .created { queue.drain.kick() }
        return try await answer(creation, of: order, hold: hold, in: session, layout: layout)
    }

    private func answer(
        _ creation: OrderCreation,
        of order: NewOrder,
        hold: Hold,
        in session: Session,
        layout: SessionLayout
    ) async throws -> OrderAnswer {
        switch creation {
        case .created:
            projector.kick()
            let reply = order.idempotency
            // An order that is not decided may fail, and then its buyer needs the pass again.
            let isFull = reply.replyStatus == 201 && order.items.count >= session.limitPerBuyer
            return OrderAnswer(
                status: reply.replyStatus,
                body: reply.replyBody,
                isReplayed: false,
                isLimitReached: isFull
            )
        case .replayed(let status, let stored):
            return OrderAnswer(status: status, body: stored, isReplayed: true, isLimitReached: false)
        case .keyReused:
            throw Refusal(.idempotencyKeyReused, "this Idempotency-Key belongs to another request")
        case .backlogFull:
            throw Refusal(
                .overloaded,
                "too many orders wait to be decided; repeat with the same Idempotency-Key",
                retryAfter: OrderQueue.retryAfter
            )
        case .seatsTaken(let seats):
            // Nothing is given back: the seats may be the buyer's own, in an order made of this very hold.
            throw Refusal(HoldFailure.seatsTaken(seats), layout: layout).decided
        case .limitExceeded(let limit, let remaining):
            await giveBack(hold)
            throw Refusal(limit: limit, remaining: remaining).decided
        case .notOnSale:
            await giveBack(hold)
            throw Refusal(.saleEnded, "the sale of this session has ended").decided
        }
    }

    private func replay(_ call: OrderCall, in session: Session, for buyer: Buyer) async throws -> OrderAnswer? {
        let found = try await answered { () async throws(StoreFailure) in
            try await orders.replay(
                scope: scope(buyer.account, session.id),
                keyHash: SHA256.digest(Array(call.key.utf8)),
                fingerprint: call.fingerprint
            )
        }
        switch found {
        case .replayed(let status, let body):
            return OrderAnswer(status: status, body: body, isReplayed: true, isLimitReached: false)
        case .keyReused: throw Refusal(.idempotencyKeyReused, "this Idempotency-Key belongs to another request")
        default: return nil
        }
    }

    /// The order failed for good: its seats are free for others at once, not at the hold's deadline.
    private func giveBack(_ hold: Hold) async {
        try? await holds.release(hold.id, in: hold.session, by: hold.account)
    }

    func scope(_ account: AccountID, _ session: SessionID) -> String { "\(account) POST \(session)/orders" }

    /// With a key the id follows from it, so that a repeated request finds its hold again.
    private func holdID(for account: AccountID, session: SessionID, key: String?) -> HoldID {
        guard let key else { return clock.makeID() }
        let digest = SHA256.digest(Array("usher/hold/v1|\(account)|\(session)|\(key)".utf8))
        guard let id = HoldID(bytes: Array(digest.prefix(16))) else { preconditionFailure("16 bytes make an id") }
        return id
    }
}

extension Refusal {
    init(tooLittle total: Money) {
        let minimum = Currency.minimum(in: total.currency)
        self.init(
            .amountBelowMinimum,
            "\(Currency.text(total)) \(total.currency) is less than the \(Currency.text(minimum)) that can be charged"
        )
        problem.limit = Int(minimum.amountMinor)
    }

    init(notSelling state: SessionState) {
        switch state {
        case .draft, .published: self.init(.saleNotOpen, "the sale of this session has not begun")
        case .paused: self.init(.saleNotOpen, "the sale of this session is paused")
        case .onSale, .closed, .ended, .cancelled: self.init(.saleEnded, "the sale of this session has ended")
        }
    }
}
