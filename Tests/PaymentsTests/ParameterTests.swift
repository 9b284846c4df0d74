// What the stand-in reads from a form, and what it refuses.
import PaymentLedger
import Testing

@testable import MockPayments

struct ParameterTests {
    private static func form(_ text: String) throws -> FormBody { try FormBody(Array(text.utf8)) }

    private static let good = "amount=5000&currency=eur"

    @Test func `a form is read with escapes and brackets`() throws {
        let form = try Self.form("metadata%5Border%5D=ord%201+2&b=%C3%A9")
        #expect(form.parameters == ["metadata[order]": "ord 1 2", "b": "é"])
    }

    @Test(arguments: [
        ("a", FormBody.Flaw.malformed), ("a=1&", .malformed), ("=1", .malformed), ("a=%4", .malformed),
        ("a=%zz", .malformed), ("a=%ff", .malformed), ("a=1&a=2", .repeated("a")), ("a=1&%61=2", .repeated("a")),
    ])
    func `an odd form is refused`(text: String, flaw: FormBody.Flaw) {
        #expect(throws: flaw) { try Self.form(text) }
    }

    @Test func `a whole payment is read`() throws {
        let command = try StripeParameters.create(
            Self.form(
                "amount=50&currency=EUR&capture_method=manual&confirm=true&payment_method=pm_card_visa"
                    + "&payment_method_types%5B0%5D=card&metadata%5BorderID%5D=1&description=Seats"
            )
        )
        var terms = PaymentTerms(
            amount: 50,
            currency: "eur",
            captureMethod: .manual,
            paymentMethod: "pm_card_visa",
            description: "Seats",
            metadata: ["orderID": "1"]
        )
        terms.methodTypes = ["card"]
        #expect(command == .create(terms, confirm: true))
    }

    @Test(arguments: [
        ("currency=eur", StripeFailure.missingParameter("amount")),
        ("amount=5000", .missingParameter("currency")),
        ("amount=49&currency=eur", .amountTooSmall),
        ("amount=-5000&currency=eur", .amountTooSmall),
        ("amount=100000000&currency=eur", .amountTooLarge("amount")),
        ("amount=99999999999999999999&currency=eur", .amountTooLarge("amount")),
        ("amount=50.5&currency=eur", .notAWholeNumber("amount", value: "50.5")),
        ("amount=&currency=eur", .notAWholeNumber("amount", value: "")),
        ("amount=5000&currency=xyz", .unknownCurrency("xyz")),
        ("\(good)&colour=blue", .unknownParameter("colour")),
        ("\(good)&metadata[a][b]=1", .unknownParameter("metadata[a][b]")),
        ("\(good)&capture_method=later", .invalidParameter("capture_method", wanted: "one of automatic or manual")),
        ("\(good)&confirm=yes", .invalidParameter("confirm", wanted: "true or false")),
        (
            "\(good)&payment_method_types[]=sofort",
            .invalidParameter("payment_method_types[]", wanted: "one of card or wechat_pay")
        ),
        ("\(good)&return_url=javascript:1", .invalidParameter("return_url", wanted: "an http or https URL")),
        ("amount=1499&currency=czk", .amountTooSmall),
        ("\(good)&metadata[]=1", .invalidParameter("metadata", wanted: "named by 1 to 40 characters")),
    ])
    func `a wrong parameter is named`(text: String, failure: StripeFailure) {
        #expect(throws: failure) { try StripeParameters.create(Self.form(text)) }
    }

    @Test(arguments: [
        ("amount_to_capture=0", StripeFailure.invalidParameter("amount_to_capture", wanted: "1 or more")),
        ("amount_to_capture=x", .notAWholeNumber("amount_to_capture", value: "x")),
        ("amount=1", .unknownParameter("amount")),
    ])
    func `a capture takes an amount and nothing else`(text: String, failure: StripeFailure) throws {
        #expect(throws: failure) { try StripeParameters.capture("pi_1", Self.form(text)) }
        #expect(try StripeParameters.capture("pi_1", Self.form("")) == .capture(intent: "pi_1", amount: nil))
    }

    @Test func `pauses between attempts double up to the longest`() {
        let patience = WebhookPatience(firstPause: .milliseconds(250), longestPause: .seconds(10))
        #expect(
            [1, 2, 3, 6, 7, 50].map(patience.pause) == [250, 500, 1000, 8000, 10000, 10000].map(Duration.milliseconds)
        )
    }
}
