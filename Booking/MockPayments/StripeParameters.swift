// Turns form parameters into a command, and refuses what Stripe would refuse.

import PaymentLedger

enum StripeParameters {
    static let amountMin: Int64 = 50
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
        for (index, type) in form.takeMembers(of: "payment_method_types") where type != "card" {
            throw .invalidParameter("payment_method_types[\(index)]", wanted: "card")
        }
        let confirm = try boolean("confirm", &form) ?? false
        try refuseRest(form)
        return .create(terms, confirm: confirm)
    }

    static func confirm(_ intent: String, _ form: FormBody) throws(StripeFailure) -> LedgerCommand {
        var form = form
        let method = form.take("payment_method")
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
        guard amount >= amountMin else { throw .amountTooSmall }
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
