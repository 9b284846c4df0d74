package import Operations
import Queueing

/// Challenges by what became of them.
package struct ChallengeCounters: Sendable {
    package enum Pass: String, Sendable, CaseIterable {
        case pow, wait, captcha, attestation
    }

    package enum Failure: String, Sendable, CaseIterable {
        case missing, malformed, seal, expired, early, number, spent
        /// Too many waits of one network at once.
        case crowded
        /// The captcha provider says no.
        case captcha
        /// The captcha provider is away, or there is none.
        case unavailable
        case ticket
    }

    private let issued: [RoomPolicy.Challenge.Kind: Counter]
    private let passed: [Pass: Counter]
    private let failed: [Failure: Counter]
    private let registry: MetricsRegistry

    package init(_ registry: MetricsRegistry) {
        func counters<Label: Hashable & CaseIterable & RawRepresentable>(
            _ name: String,
            _ help: String,
            _ label: String
        ) -> [Label: Counter] where Label.RawValue == String {
            Dictionary(
                uniqueKeysWithValues: Label.allCases.map { member in
                    let labels = [label: member.rawValue]
                    return (member, registry.counter("usher_gateway_challenges_\(name)_total", help, labels: labels))
                }
            )
        }
        issued = counters("issued", "Challenges given out, by kind.", "kind")
        passed = counters("passed", "Answers that were right, by way.", "way")
        failed = counters("failed", "Joins without a right answer, by reason.", "reason")
        self.registry = registry
    }

    func noteIssued(_ kind: RoomPolicy.Challenge.Kind) { issued[kind]?.increment() }
    func notePassed(_ pass: Pass) { passed[pass]?.increment() }
    func noteFailed(_ failure: Failure) { failed[failure]?.increment() }

    /// What a newcomer's puzzle costs now in a room.
    func setEffort(_ hashes: Int, room: String) {
        registry.gauge(
            "usher_gateway_challenge_hashes",
            "Hashes a join costs on average, for a network without a history.",
            labels: ["room": room]
        ).set(Double(hashes))
    }
}
