package import Operations
package import Queueing

package struct RoomCounters: Sendable {
    package let joins: Counter
    package let rejoins: Counter
    package let polls: Counter
    package let claimsGranted: Counter
    package let claimsWaiting: Counter
    package let claimsLate: Counter
    package let joinsRefused: Counter
    package let badTokens: Counter
    package let renewals: Counter
    package let commands: Counter
    package let pullFailures: Counter
    package let extensions: Counter
    package let recoveries: Counter
    /// By what is done about them.
    package let passesShared: [RoomPolicy.Sharing: Counter]

    package init(_ registry: MetricsRegistry) {
        func counter(_ name: String, _ help: String) -> Counter {
            registry.counter("usher_gateway_\(name)_total", help)
        }
        joins = counter("places_new", "Places given.")
        rejoins = counter("places_again", "Joins answered with the place that was there.")
        polls = counter("polls", "Polls of a place.")
        claimsGranted = counter("claims_granted", "Claims answered with a pass.")
        claimsWaiting = counter("claims_waiting", "Claims answered with 202.")
        claimsLate = counter("claims_late", "Claims answered with 410.")
        joinsRefused = counter("joins_refused", "Joins given up because the store was away or the buffer full.")
        badTokens = counter("bad_tokens", "Places and passes that were not good.")
        renewals = counter("passes_renewed", "Fresh passes given for used ones.")
        commands = counter("commands", "Usher-Command headers carried out.")
        pullFailures = counter("pull_failures", "Pulls of the rooms that failed.")
        extensions = counter("extensions", "Called places that were given longer to claim.")
        recoveries = counter("places_recovered", "Places given back to their account on another device.")
        passesShared = Dictionary(
            uniqueKeysWithValues: RoomPolicy.Sharing.allCases.dropFirst().map { action in
                let help = "Passes that two networks used within a minute, by what was done."
                let name = "usher_gateway_passes_shared_total"
                return (action, registry.counter(name, help, labels: ["action": action.rawValue]))
            }
        )
    }
}
