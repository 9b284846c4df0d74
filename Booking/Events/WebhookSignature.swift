import Signing

/// `Usher-Signature: t=<seconds>,v1=<hex HMAC-SHA256 of "<seconds>.<body>">`, one `v1` for each live secret.
package enum WebhookSignature {
    package static let headerName = "Usher-Signature"
    /// How far the time of a signature may be from the receiver's clock.
    package static let tolerance = Duration.seconds(300)
    package static let secretPrefix = "whsec_"
    package static let secretBytes = 32

    /// Of `secretBytes` bytes that nobody can guess.
    package static func secret(of random: [UInt8]) -> String { secretPrefix + Base64URL.encode(random) }

    package static func header(for body: [UInt8], secrets: [String], at seconds: Int64) -> String {
        let signed = Array("\(seconds).".utf8) + body
        let codes = secrets.map { Hex.encode(HMACSHA256.code(for: signed, key: Array($0.utf8))) }
        return (["t=\(seconds)"] + codes.map { "v1=\($0)" }).joined(separator: ",")
    }
}

/// When a delivery that was not taken is tried again: at first soon, then ever later, until it is three days old.
package struct WebhookPatience: Sendable {
    package var firstPause = Duration.seconds(5)
    package var longestPause = Duration.seconds(6 * 3600)
    package var lifetime = Duration.seconds(3 * 86_400)

    package init() {}

    package init(firstPause: Duration, longestPause: Duration, lifetime: Duration) {
        self.firstPause = firstPause
        self.longestPause = longestPause
        self.lifetime = lifetime
    }

    /// `nil` when it is given up. `attempts` there were, the last one just now, `age` after the delivery was made; `chance`
    /// from 0 to 1 spreads what failed together.
    package func pause(after attempts: Int, age: Duration, chance: Double) -> Duration? {
        let doubled = min(firstPause * (1 << min(max(attempts, 1) - 1, 24)), longestPause)
        let pause = doubled * (0.8 + 0.4 * min(max(chance, 0), 1))
        return age + pause <= lifetime ? pause : nil
    }
}
