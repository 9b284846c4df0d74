// Who may speak at all, decided before anything else is looked at. The order is the security story:
// address → deny list → account → limits and bans.
import EdgeHTTP
import Operations
import RateLimiting

/// One per event loop, used on that loop only.
struct DoorCheck {
    enum Outcome {
        case open(ClientAddress)
        case refused(EdgeReply)
    }

    let rooms: any VisitorRooms
    let addressRule: AddressRule
    let limits: Limits
    let counters: EdgeCounters

    func admit(_ head: EdgeRequestHead, from peer: ClientAddress, as routeClass: RouteClass) -> Outcome {
        let address = addressRule.address(of: head, from: peer)
        var standing = rooms.standing(of: address, in: head)
        guard standing != .denied else { return denied() }
        var account: String?
        if let token = head.bearerToken {
            switch self.account(ofBearer: token, from: address, standing) {
            case .nobody: break
            case .known(let known): account = known
            case .unchecked(let verdict): return limited(verdict)
            }
        }
        if let account {
            switch rooms.standing(ofAccount: account) {
            case .denied: return denied()
            case .allowed: standing = .allowed
            case .ordinary: break
            }
        }
        guard standing != .allowed else { return .open(address) }
        let verdict = limits.check(address, account: account.map { LimitKey(account: $0) }, routeClass)
        if verdict.shadows != 0 { counters.shadowLimited.increment(by: UInt64(verdict.shadows.nonzeroBitCount)) }
        return verdict.isAllowed ? .open(address) : limited(verdict)
    }

    private enum Bearer {
        case nobody
        case known(String)
        case unchecked(LimitVerdict)
    }

    /// A token seen before costs a look-up. A new one costs a signature check, so who sends bad ones comes to an end:
    /// each counts as a try to sign in, and without tries left none is checked.
    private func account(ofBearer token: Substring, from address: ClientAddress, _ standing: Standing) -> Bearer {
        switch rooms.remembered(bearer: token) {
        case .account(let account): return .known(account)
        case .lapsed: return .nobody
        case .new: break
        }
        if standing != .allowed, !limits.mayTry(address) {
            let verdict = limits.check(address, account: nil, .auth)
            if !verdict.isAllowed { return .unchecked(verdict) }
        }
        if let account = rooms.account(ofBearer: token) { return .known(account) }
        if standing != .allowed { limits.noteFailure(address) }
        return .nobody
    }

    private func denied() -> Outcome {
        counters.denied.increment()
        return .refused(LimitReplies.denied)
    }

    private func limited(_ verdict: LimitVerdict) -> Outcome {
        counters.limited.increment()
        return .refused(limits.refusal(verdict))
    }
}
