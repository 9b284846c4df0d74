// The pure ledger: which step follows which, what a file of lines amounts to.
import Foundation
import PaymentLedger
import Testing

struct LedgerTests {
    private static func names(_ number: Int) -> FreshNames {
        FreshNames(intent: "pi_\(number)", clientSecret: "s_\(number)", charge: "ch_\(number)", event: "evt_\(number)")
    }

    /// Decides, applies, and gives back the answer and the line.
    @discardableResult
    private static func take(
        _ command: LedgerCommand,
        _ ledger: inout Ledger,
        number: Int = 1,
        key: String? = nil,
        event: String? = nil,
        at now: Int64 = 1000
    ) throws -> (reply: LedgerReply?, line: LedgerLine) {
        let facts = try ledger.decide(command, names: names(number))
        let line = LedgerLine(
            seq: ledger.lastSeq + 1,
            at: now,
            facts: facts,
            record: key.map { IdempotencyEntry(key: $0, fingerprint: "f", intent: facts.first?.intent, refusal: nil) },
            event: event
        )
        return (try ledger.apply(line), line)
    }

    private static func terms(_ method: String? = "pm_card_visa", _ capture: CaptureMethod = .manual) -> PaymentTerms {
        PaymentTerms(amount: 5000, currency: "eur", captureMethod: capture, paymentMethod: method)
    }

    @Test func `each state allows exactly the listed steps`() {
        let asking: [IntentStep: IntentState] = [
            .askForAction: .requiresAction, .authorize: .requiresCapture, .decline: .requiresPaymentMethod,
            .cancel: .canceled,
        ]
        let allowed: [IntentState: [IntentStep: IntentState]] = [
            .requiresPaymentMethod: asking,
            .requiresConfirmation: asking,
            .requiresAction: asking,
            .requiresCapture: [.capture: .succeeded, .cancel: .canceled],
            .succeeded: [
                .refund: .succeeded, .settleRefund: .succeeded, .dispute: .succeeded, .closeDispute: .succeeded,
            ],
            .canceled: [:],
        ]
        for state in IntentState.allCases {
            for step in IntentStep.allCases {
                #expect(state.after(step) == allowed[state]?[step], "\(state) \(step)")
            }
        }
    }

    @Test func `a manual payment is authorised, then captured once`() throws {
        var ledger = Ledger()
        try Self.take(.create(Self.terms(), confirm: true), &ledger)
        let held = try #require(ledger.intents["pi_1"])
        #expect(held.state == .requiresCapture && held.capturable == 5000 && held.received == 0)
        #expect(held.isOpenAuthorization)
        try Self.take(.capture(intent: "pi_1", amount: nil), &ledger)
        let taken = try #require(ledger.intents["pi_1"])
        #expect(taken.state == .succeeded && taken.capturable == 0 && taken.received == 5000)
        #expect(throws: LedgerRefusal.wrongState(step: .capture, state: .succeeded)) {
            try Self.take(.capture(intent: "pi_1", amount: nil), &ledger)
        }
        #expect(throws: LedgerRefusal.wrongState(step: .cancel, state: .succeeded)) {
            try Self.take(.cancel(intent: "pi_1", reason: nil), &ledger)
        }
    }

    @Test func `less may be captured, never more`() throws {
        var ledger = Ledger()
        try Self.take(.create(Self.terms(), confirm: true), &ledger)
        #expect(throws: LedgerRefusal.captureTooLarge(capturable: 5000)) {
            try Self.take(.capture(intent: "pi_1", amount: 5001), &ledger)
        }
        try Self.take(.capture(intent: "pi_1", amount: 4000), &ledger)
        #expect(ledger.intents["pi_1"]?.received == 4000)
    }

    @Test func `a declined card leaves a payment that another card can pay`() throws {
        var ledger = Ledger()
        let (reply, _) = try Self.take(
            .create(Self.terms("pm_card_visa_chargeDeclinedInsufficientFunds"), confirm: true),
            &ledger
        )
        guard case .declined(let payment, .insufficientFunds) = reply else {
            Issue.record("\(String(describing: reply))")
            return
        }
        #expect(payment.state == .requiresPaymentMethod && payment.terms.paymentMethod == nil)
        try Self.take(.confirm(intent: "pi_1", paymentMethod: "pm_card_visa"), &ledger)
        #expect(ledger.intents["pi_1"]?.state == .requiresCapture)
        #expect(ledger.intents["pi_1"]?.lastDecline == nil)
    }

    @Test func `an automatic payment is taken when it is confirmed`() throws {
        var ledger = Ledger()
        try Self.take(.create(Self.terms("pm_card_visa", .automatic), confirm: true), &ledger)
        #expect(ledger.intents["pi_1"]?.state == .succeeded && ledger.intents["pi_1"]?.received == 5000)
    }

    @Test(arguments: [
        (LedgerCommand.confirm(intent: "pi_9", paymentMethod: nil), LedgerRefusal.noSuchIntent("pi_9")),
        (.capture(intent: "pi_9", amount: nil), .noSuchIntent("pi_9")),
        (.cancel(intent: "pi_9", reason: nil), .noSuchIntent("pi_9")),
        (.create(terms(nil), confirm: true), .noPaymentMethod),
        (.create(terms("pm_card_made_up"), confirm: false), .noSuchPaymentMethod("pm_card_made_up")),
    ])
    func `what the ledger does not know is refused`(command: LedgerCommand, refusal: LedgerRefusal) {
        #expect(throws: refusal) { try Ledger().decide(command, names: Self.names(1)) }
    }

    @Test(arguments: [
        (LedgerLine(seq: 3, at: 1, facts: []), LedgerFlaw.outOfOrder(expected: 2, found: 3)),
        (LedgerLine(seq: 1, at: 1, facts: []), .outOfOrder(expected: 2, found: 1)),
        (LedgerLine(seq: 2, at: 1, facts: [.captured(intent: "pi_7", amount: 1)]), .unknownIntent("pi_7")),
        (
            LedgerLine(seq: 2, at: 1, facts: [.captured(intent: "pi_1", amount: 5001)]),
            .impossibleAmount(intent: "pi_1")
        ),
        (
            LedgerLine(seq: 2, at: 1, facts: [.authorized(intent: "pi_1", paymentMethod: "p", charge: "c")]),
            .impossibleStep(intent: "pi_1", step: .authorize, state: .requiresCapture)
        ),
        (
            LedgerLine(seq: 2, at: 1, facts: [.created(intent: "pi_1", clientSecret: "s", terms: terms())]),
            .repeatedIntent("pi_1")
        ),
    ])
    func `a line that cannot follow changes nothing`(line: LedgerLine, flaw: LedgerFlaw) throws {
        var ledger = Ledger()
        try Self.take(.create(Self.terms(), confirm: true), &ledger)
        let before = ledger.intents
        #expect(throws: flaw) { try ledger.apply(line) }
        #expect(ledger.intents == before && ledger.lastSeq == 1)
    }

    @Test func `a file of lines gives the ledger back, answers and events too`() throws {
        var ledger = Ledger()
        var file = Data()
        file += LedgerFile.bytes(
            of: try Self.take(.create(Self.terms(), confirm: true), &ledger, key: "k1", event: "evt_1").line
        )
        file += LedgerFile.bytes(of: try Self.take(.capture(intent: "pi_1", amount: nil), &ledger, event: "evt_2").line)
        let settled = LedgerLine(seq: 3, at: 2000, facts: [], settled: ["evt_1"])
        try ledger.apply(settled)
        file += LedgerFile.bytes(of: settled)

        let read = try LedgerFile.read(file, path: "x")
        #expect(read.tornBytes == 0 && read.wholeBytes == file.count)
        #expect(read.ledger.intents == ledger.intents)
        #expect(read.ledger.openEvents.keys.sorted() == ["evt_2"])
        #expect(read.ledger.openEvents["evt_2"]?.kind == .succeeded)
        // The kept answer shows the payment as it was answered then, before the capture.
        guard case .payment(let answered) = read.ledger.reply(to: "k1", at: 3000)?.reply else {
            Issue.record("the answer is not kept")
            return
        }
        #expect(answered.state == .requiresCapture)
    }

    @Test func `a torn last line is no part of the ledger, at whatever byte it tears`() throws {
        var ledger = Ledger()
        let first = LedgerFile.bytes(of: try Self.take(.create(Self.terms(), confirm: true), &ledger).line)
        let second = LedgerFile.bytes(of: try Self.take(.capture(intent: "pi_1", amount: nil), &ledger).line)
        for kept in 0..<second.count {
            let read = try LedgerFile.read(first + second.prefix(kept), path: "x")
            #expect(read.wholeBytes == first.count && read.tornBytes == kept)
            #expect(read.ledger.intents["pi_1"]?.state == .requiresCapture)
        }
    }

    @Test func `a spoilt line before the last is a fault with its number`() throws {
        var ledger = Ledger()
        var first = LedgerFile.bytes(of: try Self.take(.create(Self.terms(), confirm: true), &ledger).line)
        let second = LedgerFile.bytes(of: try Self.take(.capture(intent: "pi_1", amount: nil), &ledger).line)
        first[first.startIndex + 5] = UInt8(ascii: "}")
        #expect(throws: LedgerFileFault.flawed(path: "x", line: 1, flaw: .unreadable)) {
            try LedgerFile.read(first + second, path: "x")
        }
    }

    @Test func `a key is remembered for a day`() throws {
        var ledger = Ledger()
        try Self.take(.create(Self.terms(), confirm: false), &ledger, key: "k", at: 1000)
        #expect(ledger.reply(to: "k", at: 1000 + Ledger.replyLifetime - 1) != nil)
        #expect(ledger.reply(to: "k", at: 1000 + Ledger.replyLifetime) == nil)
    }
}
