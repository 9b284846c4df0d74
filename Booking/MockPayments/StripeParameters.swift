// Turns form parameters into a command, and refuses what Stripe would refuse.

import PaymentLedger

enum StripeParameters {
    static let amountMin: Int64 = 50
    /// Where the least is not 50 of the smallest unit.
    private static let amountMins: [String: Int64] = [
        "czk": 1500, "dkk": 250, "gbp": 30, "hkd": 400, "huf": 17_500, "nok": 300, "pln": 200, "sek": 300,
    ]
    static let methodTypes: Set<String> = ["card", "wechat_pay"]
    static let refundReasons: Set<String> = ["duplicate", "fraudulent", "requested_by_customer"]
    static let urlMax = 2048
    static let amountMax: Int64 = 99_999_999
    static let metadataMax = 50
    static let metadataNameMax = 40
    static let metadataValueMax = 500
    static let descriptionMax = 1000
    static let currencies: Set<String> = [
        "aud", "cad", "chf", "czk", "dkk", "eur", "gbp", "hkd", "huf", "jpy", "nok", "nzd", "pln", "sek", "sgd", "usd",
    ]

    static func create(_ form: FormBody) throws(StripeFailure) -> LedgerCommand {
        var form = form
        let amount = try requiredAmount(&form)
        let currency = try currency(&form)
        guard amount >= amountMins[currency] ?? amountMin else { throw .amountTooSmall }
        var terms = PaymentTerms(amount: amount, currency: currency, captureMethod: .automatic)
        if let method = form.take("capture_method") {
            guard let known = CaptureMethod(rawValue: method) else {
                throw .invalidParameter("capture_method", wanted: "one of automatic or manual")
            }
            terms.captureMethod = known
        }
        terms.paymentMethod = form.take("payment_method")
        terms.description = form.take("description")
        if let description = terms.description, description.count > descriptionMax {
            throw .invalidParameter("description", wanted: "at most \(descriptionMax) characters")
        }
        terms.metadata = try metadata(&form)
        try takeMethodTypes(&form, into: &terms)
        terms.returnURL = try returnURL(&form)
        let confirm = try boolean("confirm", &form) ?? false
        try refuseRest(form)
        return .create(terms, confirm: confirm)
    }

    private static func takeMethodTypes(_ form: inout FormBody, into terms: inout PaymentTerms) throws(StripeFailure) {
        let types = form.takeMembers(of: "payment_method_types")
        for (index, type) in types where !methodTypes.contains(type) {
            throw .invalidParameter("payment_method_types[\(index)]", wanted: "one of card or wechat_pay")
        }
        if !types.isEmpty { terms.methodTypes = types.sorted { $0.key < $1.key }.map(\.value) }
        if let client = form.take("payment_method_options[wechat_pay][client]"), client != "web" {
            throw .invalidParameter("payment_method_options[wechat_pay][client]", wanted: "web")
        }
    }

    private static func returnURL(_ form: inout FormBody) throws(StripeFailure) -> String? {
        guard let url = form.take("return_url") else { return nil }
        let isGood = url.count <= urlMax && (url.hasPrefix("http://") || url.hasPrefix("https://"))
        // It ends up in a header.
        guard isGood, url.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw .invalidParameter("return_url", wanted: "an http or https URL")
        }
        return url
    }

    /// A refund names its payment, or the charge of it.
    static func refund(_ form: FormBody, charges: PaymentDesk) throws(StripeFailure) -> LedgerCommand {
        var form = form
        let amount = try wholeNumber("amount", &form)
        if let amount, amount < 1 { throw .invalidParameter("amount", wanted: "1 or more") }
        let reason = form.take("reason")
        if let reason, !refundReasons.contains(reason) {
            throw .invalidParameter("reason", wanted: "one of \(refundReasons.sorted().joined(separator: ", "))")
        }
        let (payment, charge) = (form.take("payment_intent"), form.take("charge"))
        let metadata = try metadata(&form)
        try refuseRest(form)
        let intent: String
        switch (payment, charge) {
        case (let payment?, nil): intent = payment
        case (nil, let charge?):
            guard let found = charges.intent(ofCharge: charge) else {
                throw .invalidParameter("charge", wanted: "a charge there is")
            }
            intent = found
        default: throw .missingParameter("payment_intent")
        }
        return .refund(RefundTerms(intent: intent, amount: amount, reason: reason, metadata: metadata))
    }

    /// Stripe's test evidence decides a dispute.
    static func evidence(_ dispute: String, _ form: FormBody) throws(StripeFailure) -> LedgerCommand {
        var form = form
        let text = form.take("evidence[uncategorized_text]")
        _ = form.take("submit")
        try refuseRest(form)
        switch text {
        case "winning_evidence": return .closeDispute(dispute: dispute, state: .won)
        case "losing_evidence": return .closeDispute(dispute: dispute, state: .lost)
        default:
            throw .invalidParameter("evidence[uncategorized_text]", wanted: "winning_evidence or losing_evidence")
        }
    }

    static func close(_ dispute: String, _ form: FormBody) throws(StripeFailure) -> LedgerCommand {
        try refuseRest(form)
        return .closeDispute(dispute: dispute, state: .lost)
    }

    static func confirm(_ intent: String, _ form: FormBody) throws(StripeFailure) -> LedgerCommand {
        var form = form
        let method = form.take("payment_method")
        _ = try returnURL(&form)
        try refuseRest(form)
        return .confirm(intent: intent, paymentMethod: method)
    }

    static func capture(_ intent: String, _ form: FormBody) throws(StripeFailure) -> LedgerCommand {
        var form = form
        let amount = try wholeNumber("amount_to_capture", &form)
        if let amount, amount < 1 { throw .invalidParameter("amount_to_capture", wanted: "1 or more") }
        try refuseRest(form)
        return .capture(intent: intent, amount: amount)
    }

    static func cancel(_ intent: String, _ form: FormBody) throws(StripeFailure) -> LedgerCommand {
        var form = form
        let reason = form.take("cancellation_reason")
        try refuseRest(form)
        guard let reason else { return .cancel(intent: intent, reason: nil) }
        guard let known = CancellationReason(rawValue: reason) else {
            let names = CancellationReason.allCases.map(\.rawValue).joined(separator: ", ")
            throw .invalidParameter("cancellation_reason", wanted: "one of \(names)")
        }
        return .cancel(intent: intent, reason: known)
    }

    /// A read takes no parameters.
    static func refuseRest(_ form: FormBody) throws(StripeFailure) {
        if let name = form.parameters.keys.min() { throw .unknownParameter(name) }
    }

    private static func requiredAmount(_ form: inout FormBody) throws(StripeFailure) -> Int64 {
        guard let amount = try wholeNumber("amount", &form) else { throw .missingParameter("amount") }
        guard amount >= 1 else { throw .amountTooSmall }
        return amount
    }

    private static func wholeNumber(_ name: String, _ form: inout FormBody) throws(StripeFailure) -> Int64? {
        guard let text = form.take(name) else { return nil }
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }) else {
            throw .notAWholeNumber(name, value: text)
        }
        guard let number = Int64(text), number <= amountMax else { throw .amountTooLarge(name) }
        return number
    }

    private static func boolean(_ name: String, _ form: inout FormBody) throws(StripeFailure) -> Bool? {
        switch form.take(name) {
        case nil: nil
        case "true": true
        case "false": false
        default: throw .invalidParameter(name, wanted: "true or false")
        }
    }

    private static func currency(_ form: inout FormBody) throws(StripeFailure) -> String {
        guard let text = form.take("currency") else { throw .missingParameter("currency") }
        let currency = text.lowercased()
        guard currencies.contains(currency) else { throw .unknownCurrency(text) }
        return currency
    }

    private static func metadata(_ form: inout FormBody) throws(StripeFailure) -> [String: String] {
        let members = form.takeMembers(of: "metadata")
        guard members.count <= metadataMax else {
            throw .invalidParameter("metadata", wanted: "at most \(metadataMax) entries")
        }
        for (name, value) in members {
            guard (1...metadataNameMax).contains(name.count) else {
                throw .invalidParameter("metadata", wanted: "named by 1 to \(metadataNameMax) characters")
            }
            guard value.count <= metadataValueMax else {
                throw .invalidParameter("metadata[\(name)]", wanted: "at most \(metadataValueMax) characters")
            }
        }
        return members
    }
}
