// Promises about money: what PostgreSQL says of a payment is what the provider's ledger says.

package import Ordering
package import PaymentLedger

/// PostgreSQL's payments beside the provider's ledger.
package struct MoneyFacts: Sendable {
    package var payments: [BookingFacts.Payment]
    package var orders: [OrderID: BookingFacts.Order]
    package var intents: [PaymentIntent]

    package init(booking: BookingFacts, intents: some Collection<PaymentIntent>) {
        payments = booking.payments
        orders = booking.orders
        // Whatever else the provider was used for is not ours to judge.
        self.intents = intents.filter { $0.terms.metadata["payment"] != nil }
    }

    package func findings() -> [Finding] {
        [sameStory(), everyIntentKnown(), noOpenAuthorization(), sameSum(), sameRefunds(), sameDisputes()]
    }

    package func sameStory() -> Finding {
        var finding = Finding(
            "money.same-story",
            "Each payment has the state, the amount and the currency that the provider's ledger has."
        )
        let known = Dictionary(intents.map { ($0.id, $0) }) { first, _ in first }
        for payment in payments {
            guard let reference = payment.reference else {
                finding.expect(
                    [.authorizing, .unknown, .failed].contains(payment.state),
                    "\(payment.id) is \(payment.state.rawValue) without the provider's id"
                )
                continue
            }
            guard let intent = known[reference] else {
                finding.expect(false, "\(payment.id) is \(reference), which the ledger does not have")
                continue
            }
            let fits =
                payment.state.allows(intent.state) && intent.terms.amount == payment.amount.amountMinor
                && intent.terms.currency == payment.amount.currency.lowercased()
                && intent.terms.metadata["payment"] == "\(payment.id)"
                && (![.captured, .stray].contains(payment.state) || payment.captured == intent.received)
            finding.expect(
                fits,
                "\(payment.id) is \(payment.state.rawValue), \(payment.amount.amountMinor) \(payment.amount.currency), "
                    + "captured \(payment.captured); \(reference) is \(intent.state.rawValue), "
                    + "\(intent.terms.amount) \(intent.terms.currency), captured \(intent.received), "
                    + "for \(intent.terms.metadata["payment"], or: "nobody")"
            )
        }
        return finding
    }

    package func everyIntentKnown() -> Finding {
        var finding = Finding("money.known", "No money was reserved or taken that no payment tells of.")
        let references = Set(payments.compactMap(\.reference))
        // A payment that asked and has not heard yet does not know the provider's id.
        let waiting = Set(payments.filter { $0.reference == nil && $0.state.isOpen }.map { "\($0.id)" })
        var taken: [String: String] = [:]
        for intent in intents {
            let owner = intent.terms.metadata["payment"] ?? ""
            let hasMoney = intent.state == .requiresCapture || intent.state == .succeeded
            finding.expect(
                !hasMoney || references.contains(intent.id) || waiting.contains(owner),
                "\(intent.id) is \(intent.state.rawValue) over \(intent.terms.amount) for \(owner), unknown to it"
            )
            guard hasMoney else { continue }
            if let other = taken.updateValue(intent.id, forKey: owner) {
                finding.report("\(owner) has money in both \(other) and \(intent.id)")
            }
        }
        return finding
    }

    package func noOpenAuthorization() -> Finding {
        var finding = Finding("money.no-open-authorization", "No reservation is left on anybody's card.")
        for intent in intents {
            finding.expect(
                !intent.isOpenAuthorization,
                "\(intent.id) holds \(intent.capturable) \(intent.terms.currency) for "
                    + "\(intent.terms.metadata["payment"], or: "nobody")"
            )
        }
        return finding
    }

    package func sameSum() -> Finding {
        var finding = Finding("money.same-sum", "PostgreSQL and the ledger captured the same sum of each currency.")
        var ours: [String: Int64] = [:]
        for payment in payments where payment.state == .captured || payment.state == .stray {
            ours[payment.amount.currency.lowercased(), default: 0] += payment.captured
        }
        var theirs: [String: Int64] = [:]
        for intent in intents where intent.received > 0 { theirs[intent.terms.currency, default: 0] += intent.received }
        for currency in Set(ours.keys).union(theirs.keys).sorted() {
            let (mine, other) = (ours[currency] ?? 0, theirs[currency] ?? 0)
            finding.expect(mine == other, "captured \(mine) \(currency); the ledger says \(other)")
        }
        return finding
    }
}

extension MoneyFacts {
    package func sameRefunds() -> Finding {
        var finding = Finding("money.refunds", "Each payment gave back what the ledger says it gave back.")
        let known = Dictionary(intents.map { ($0.id, $0) }) { first, _ in first }
        for payment in payments {
            guard let intent = payment.reference.flatMap({ known[$0] }) else { continue }
            finding.expect(
                payment.refunded == intent.refundedForGood,
                "\(payment.id) gave \(payment.refunded) back; \(intent.id) \(intent.refundedForGood)"
            )
        }
        return finding
    }

    package func sameDisputes() -> Finding {
        var finding = Finding(
            "money.disputes",
            "An order is marked as disputed while the ledger's dispute is open, and charged back when it was lost."
        )
        let known = Dictionary(intents.map { ($0.id, $0) }) { first, _ in first }
        for payment in payments where payment.state == .captured {
            guard let intent = payment.reference.flatMap({ known[$0] }), let order = orders[payment.order] else {
                continue
            }
            let dispute = intent.dispute?.state
            let fits =
                order.isDisputed == (dispute == .needsResponse)
                && (order.state == .chargedBack) == (dispute == .lost && order.state != .refunded)
            finding.expect(
                fits,
                "\(order.id) is \(order.state.rawValue), disputed: \(order.isDisputed); the dispute of \(intent.id) is "
                    + "\(dispute?.rawValue, or: "none")"
            )
        }
        return finding
    }
}

extension PaymentState {
    /// States of the provider that agree with this one, also while a call is under way.
    fileprivate func allows(_ state: IntentState) -> Bool {
        switch self {
        // A method that is taken at once may have been.
        case .authorizing, .unknown, .requiresAction: true
        case .authorized: state == .requiresCapture
        case .capturing: state == .requiresCapture || state == .succeeded
        case .captured: state == .succeeded
        case .failed: state == .requiresPaymentMethod || state == .requiresConfirmation || state == .canceled
        case .voiding: state == .requiresCapture || state == .requiresAction || state == .canceled
        case .voided: state == .canceled || state == .requiresPaymentMethod
        case .stray: state == .succeeded || state == .canceled || state == .requiresCapture
        }
    }
}
