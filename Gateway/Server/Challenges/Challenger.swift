// What all loops of a gateway share to challenge those who join: how many join, from where, and whom to ask.
import Challenges
import EdgeHTTP
package import Operations
package import Queueing
import Signing
import Synchronization

package final class Challenger: Sendable {
    private struct State {
        /// One for each room; rooms that are gone go when the rooms do (`keep`).
        var rates: [String: JoinRate] = [:]
        var prefixes: PrefixHistory
    }

    package let captcha: (any CaptchaCheck)?
    package let captchaSite: CaptchaSite?
    package let entryIssuer: String?
    let counters: ChallengeCounters
    private let state: Mutex<State>

    package init(
        _ registry: MetricsRegistry,
        captcha: (any CaptchaCheck)? = nil,
        captchaSite: CaptchaSite? = nil,
        entryIssuer: String? = nil
    ) {
        counters = ChallengeCounters(registry)
        self.captcha = captcha
        self.captchaSite = captchaSite
        self.entryIssuer = entryIssuer
        let seed = SecureRandom.bytes(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        state = Mutex(State(prefixes: PrefixHistory(seed: seed)))
    }

    /// Why this gateway cannot ask for that; nil when it can.
    package func lacks(_ challenge: RoomPolicy.Challenge) -> String? {
        switch challenge {
        case .off, .pow: nil
        case .captcha:
            captcha == nil
                ? "this gateway has no captcha provider: set --captcha-verify-url and what belongs to it" : nil
        case .attestation:
            entryIssuer == nil
                ? "this gateway trusts no issuer of entry tickets: set --entry-issuer and --entry-keys" : nil
        }
    }

    func hashes(_ ladder: EffortLadder, room: String, from address: ClientAddress, atMS now: Int64) -> Int {
        state.withLock { state in
            ladder.hashes(
                joinsPerSecond: state.rates[room]?.perSecond(atMS: now) ?? 0,
                prefixJoins: state.prefixes.joins(of: address.prefix, atMS: now)
            )
        }
    }

    func noteJoin(room: String, from address: ClientAddress, atMS now: Int64) {
        state.withLock { state in
            state.rates[room, default: JoinRate()].note(atMS: now)
            state.prefixes.noteJoin(of: address.prefix, atMS: now)
        }
    }

    /// Nil when one more of this network may come in by waiting, else the milliseconds until one may.
    func takeWait(from address: ClientAddress, seconds: Int, atMS now: Int64) -> Int64? {
        state.withLock { $0.prefixes.takeWait(of: address.prefix, seconds: seconds, atMS: now) }
    }

    /// Shows what joining costs now, and forgets rooms that are gone.
    func keep(_ rooms: [RoomView], atMS now: Int64) {
        let names = Set(rooms.map(\.name.text))
        let rates = state.withLock { state in
            if state.rates.count > names.count { state.rates = state.rates.filter { names.contains($0.key) } }
            return state.rates
        }
        for room in rooms {
            guard let ladder = room.effort else { continue }
            let rate = rates[room.name.text]?.perSecond(atMS: now) ?? 0
            counters.setEffort(ladder.hashes(joinsPerSecond: rate, prefixJoins: 0), room: room.name.text)
        }
    }
}

extension ClientAddress {
    /// An IPv4 address, or the /48 of an IPv6 one.
    fileprivate var prefix: UInt64 { PrefixHistory.prefix(high: high, low: low) }
}

extension EffortLadder {
    /// Nil for a challenge that is no work.
    init?(_ challenge: RoomPolicy.Challenge) {
        guard case .pow(let work) = challenge else { return nil }
        self.init(work.steps.map { Step(joinsPerSecond: $0.joinsPerSecond, hashes: $0.hashes) })
    }
}
