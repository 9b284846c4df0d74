// What a currency is like: its decimals, and the least that can be charged in it.

package enum Currency {
    private static let withoutDecimals: Set<String> = [
        "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF",
    ]
    private static let withThreeDecimals: Set<String> = ["BHD", "JOD", "KWD", "OMR", "TND"]
    /// What the provider takes at least, in the smallest unit; where it does not say, 50.
    private static let minimums: [String: Int64] = [
        "CZK": 1500, "DKK": 250, "GBP": 30, "HKD": 400, "HUF": 17_500, "MXN": 1000, "NOK": 300, "PLN": 200,
        "RON": 200, "SEK": 300, "THB": 1000,
    ]
    private static let usualMinimum: Int64 = 50

    /// Decimals of the main unit: 2 for EUR, 0 for JPY.
    package static func decimals(of currency: String) -> Int {
        if withoutDecimals.contains(currency) { return 0 }
        return withThreeDecimals.contains(currency) ? 3 : 2
    }

    package static func minimum(in currency: String) -> Money {
        Money(minimums[currency] ?? usualMinimum, currency)
    }

    /// The amount with the decimals of its currency: `95.00`, `5000`.
    package static func text(_ money: Money) -> String {
        let decimals = decimals(of: money.currency)
        let digits = String(money.amountMinor.magnitude)
        let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
        let sign = money.amountMinor < 0 ? "-" : ""
        guard decimals > 0 else { return sign + padded }
        return "\(sign)\(padded.dropLast(decimals)).\(padded.suffix(decimals))"
    }
}

extension Money {
    /// Too little to be charged, and not nothing.
    package var isBelowMinimum: Bool {
        amountMinor != 0 && amountMinor < Currency.minimum(in: currency).amountMinor
    }
}
