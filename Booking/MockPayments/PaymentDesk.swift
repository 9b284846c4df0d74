// Where a request meets the ledger: idempotency key, decision, line on disk, answer.

import Foundation
import PaymentLedger
import Signing
import Synchronization

/// An `Idempotency-Key` and what it was sent with.
struct KeyedRequest: Equatable, Sendable {
    var key: String
    var fingerprint: String
}

/// How a request was answered, and whether the answer is an older one.
struct DeskAnswer: Sendable {
    var reply: LedgerReply
    var isReplay = false
}

final class PaymentDesk: Sendable {
    private struct State {
        var ledger: Ledger
        /// Keys of requests under way.
        var busyKeys: Set<String> = []
        /// When each refund with a word to come was first looked at.
        var refundsSeen: [String: Int64] = [:]
    }

    private struct Taken {
        var reply: LedgerReply
        var seq: Int64
        var events: [PaymentEvent] = []
    }

    /// Requests with a key that may be under way at once.
    static let busyKeysMax = 4096

    private let state: Mutex<State>
    private let log: LedgerLog
    private let latency: Duration
    private let announce: (@Sendable (PaymentEvent) -> Void)?
    private let now: @Sendable () -> Int64

    /// `announce` gets each event once; without it no events are made. `latency` is added to each request, one half
    /// before it takes effect and one half after.
    init(
        ledger: Ledger,
        log: LedgerLog,
        latency: Duration,
        announce: (@Sendable (PaymentEvent) -> Void)?,
        now: @escaping @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1000) }
    ) {
        state = Mutex(State(ledger: ledger))
        self.log = log
        self.latency = latency
        self.announce = announce
        self.now = now
    }

    func perform(_ command: LedgerCommand, keyed: KeyedRequest?) async throws -> DeskAnswer {
        if let keyed {
            if let kept = try reserve(keyed) {
                try await pause(latency)
                try await log.waitUntilDurable(kept.seq)
                return DeskAnswer(reply: kept.reply, isReplay: true)
            }
        }
        defer { if let keyed { release(keyed) } }
        try await pause(latency / 2)
        let taken = try take(command, keyed: keyed)
        try await log.waitUntilDurable(taken.seq)
        for event in taken.events { announce?(event) }
        try await pause(latency / 2)
        return DeskAnswer(reply: taken.reply)
    }

    /// The payment as the file has it.
    func payment(_ id: String) async throws -> PaymentIntent? { try await payment { _ in id } }
    func payment(ofRefund id: String) async throws -> PaymentIntent? { try await payment { $0.refundOwners[id] } }
    func payment(ofDispute id: String) async throws -> PaymentIntent? { try await payment { $0.disputeOwners[id] } }

    private func payment(_ find: (Ledger) -> String?) async throws -> PaymentIntent? {
        try await pause(latency)
        let (payment, seq) = state.withLock { state in
            (find(state.ledger).flatMap { state.ledger.intents[$0] }, state.ledger.lastSeq)
        }
        try await log.waitUntilDurable(seq)
        return payment
    }

    func intent(ofCharge charge: String) -> String? {
        state.withLock { $0.ledger.intents.values.first { $0.charge == charge }?.id }
    }

    /// Refunds on which the bank has the last word, once they have been seen for so long.
    func dueRefunds(after delay: Duration) -> [LedgerCommand] {
        let now = now()
        return state.withLock { state in
            let open = state.ledger.openRefunds
            let names = Set(open.compactMap(\.refundName))
            state.refundsSeen = state.refundsSeen.filter { names.contains($0.key) }
            for name in names where state.refundsSeen[name] == nil { state.refundsSeen[name] = now }
            return open.filter { command in
                let seen = command.refundName.flatMap { state.refundsSeen[$0] } ?? now
                return .milliseconds(now - seen) >= delay
            }
        }
    }

    /// Writes down that events need no more sending. Nobody waits for it: after a crash an event goes out again.
    func settle(_ events: [String]) {
        state.withLock { state in
            let line = LedgerLine(seq: state.ledger.lastSeq + 1, at: now(), facts: [], settled: events)
            do throws(LedgerFlaw) {
                try state.ledger.apply(line)
            } catch {
                preconditionFailure("a line without facts can always follow: \(error)")
            }
            log.append(line)
        }
    }

    var openEvents: [PaymentEvent] {
        state.withLock { $0.ledger.openEvents.values.sorted { $0.seq < $1.seq } }
    }

    var intentCount: Int { state.withLock { $0.ledger.intents.count } }

    private func reserve(_ keyed: KeyedRequest) throws(StripeFailure) -> (reply: LedgerReply, seq: Int64)? {
        try state.withLock { state throws(StripeFailure) in
            guard !state.busyKeys.contains(keyed.key) else { throw .keyInUse(keyed.key) }
            if let kept = state.ledger.reply(to: keyed.key, at: now()) {
                guard kept.fingerprint == keyed.fingerprint else { throw .keyReused(keyed.key) }
                return (kept.reply, state.ledger.lastSeq)
            }
            guard state.busyKeys.count < Self.busyKeysMax else { throw .tooManyRequests }
            state.busyKeys.insert(keyed.key)
            return nil
        }
    }

    private func release(_ keyed: KeyedRequest) {
        state.withLock { _ = $0.busyKeys.remove(keyed.key) }
    }

    /// Decides, and queues the line in the same critical section: file order is decision order. What the bank does by
    /// itself thereupon is a line of its own.
    private func take(_ command: LedgerCommand, keyed: KeyedRequest?) throws -> Taken {
        let names = Self.freshNames()
        return try state.withLock { state in
            var facts: [LedgerFact] = []
            var refusal: LedgerRefusal?
            do throws(LedgerRefusal) {
                facts = try state.ledger.decide(command, names: names)
            } catch {
                refusal = error
            }
            let intent = facts.first?.intent ?? command.intent.flatMap { state.ledger.intents[$0]?.id }
            if let refusal, keyed == nil {
                let shown = intent.flatMap { state.ledger.intents[$0] }
                return Taken(reply: .refused(refusal, shown), seq: state.ledger.lastSeq)
            }
            let record = keyed.map {
                IdempotencyEntry(key: $0.key, fingerprint: $0.fingerprint, intent: intent, refusal: refusal)
            }
            var taken = try append(facts, record: record, event: names.event, &state)
            guard let next = state.ledger.consequence(of: facts) else { return taken }
            let others = Self.freshNames()
            let after = try append(
                (try? state.ledger.decide(next, names: others)) ?? [],
                record: nil,
                event: others.event,
                &state
            )
            taken.seq = after.seq
            taken.events += after.events
            return taken
        }
    }

    private func append(
        _ facts: [LedgerFact],
        record: IdempotencyEntry?,
        event: String,
        _ state: inout State
    ) throws -> Taken {
        let tells = announce != nil && facts.contains { $0.step != nil }
        let line = LedgerLine(
            seq: state.ledger.lastSeq + 1,
            at: now(),
            facts: facts,
            record: record,
            event: tells ? event : nil
        )
        guard let reply = try state.ledger.apply(line) else { throw StripeFailure.internalFault }
        log.append(line)
        let events = tells ? [state.ledger.openEvents[event]].compactMap { $0 } : []
        return Taken(reply: reply, seq: line.seq, events: events)
    }

    /// The deliberate slowness of this provider; there is nothing to wait for.
    private func pause(_ duration: Duration) async throws {
        if duration > .zero { try await ContinuousClock().sleep(for: duration) }
    }

    private static func freshNames() -> FreshNames {
        let intent = "pi_" + Hex.encode(SecureRandom.bytes(12))
        return FreshNames(
            intent: intent,
            clientSecret: intent + "_secret_" + Hex.encode(SecureRandom.bytes(12)),
            charge: "ch_" + Hex.encode(SecureRandom.bytes(12)),
            event: "evt_" + Hex.encode(SecureRandom.bytes(12)),
            refund: "re_" + Hex.encode(SecureRandom.bytes(12)),
            dispute: "dp_" + Hex.encode(SecureRandom.bytes(12))
        )
    }
}

extension LedgerCommand {
    /// The payment a command is about; `nil` when it makes one, or names something of one.
    var intent: String? {
        switch self {
        case .create, .settleRefund, .closeDispute: nil
        case .confirm(let intent, _), .capture(let intent, _), .cancel(let intent, _), .finishAction(let intent, _),
            .openDispute(let intent):
            intent
        case .refund(let terms): terms.intent
        }
    }

    var refundName: String? {
        if case .settleRefund(let refund, _) = self { return refund }
        return nil
    }
}
