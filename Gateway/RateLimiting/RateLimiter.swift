/// All limits of a gateway, in a fixed amount of memory. A request is counted only if every rule lets it pass, so what
/// one rule refuses costs no other rule anything. Times are nanoseconds of a clock that only grows.
package struct RateLimiter: ~Copyable {
    private let grid: LimitGrid
    private let seed: UInt64
    private var addresses: AllowanceTable
    private var accounts: AllowanceTable
    /// All classes, then each class: as many as a grid has columns.
    private var globals: InlineArray<7, Int64> = .init(repeating: 0)
    private var bans: BanTable
    private var chance: SplitMix

    /// The cell of an address row that counts refusals.
    private static let offences = LimitGrid.columns

    /// The seed is secret, see `ClientMark`.
    package init(_ plan: LimitPlan, seed: UInt64) {
        grid = LimitGrid(plan.rules)
        self.seed = seed
        addresses = AllowanceTable(capacity: plan.clientsMax)
        let needsAccounts = plan.rules.contains { $0.scope == .account }
        accounts = AllowanceTable(capacity: needsAccounts ? plan.clientsMax : 0)
        bans = BanTable(policy: plan.bans, capacity: plan.bansMax)
        chance = SplitMix(seed: seed)
    }

    package var evictions: Int { addresses.evictions + accounts.evictions }
    package var capacity: Int { addresses.capacity }
    package var bytes: Int { addresses.bytes + accounts.bytes + bans.bytes }

    /// Whose requests meet which rules: the address always, the account if one is shown. A ban of the address spares
    /// those who show an account: they answer for themselves.
    package mutating func check(
        _ address: NetworkAddress,
        account: LimitKey?,
        _ routeClass: RouteClass,
        atNS nowNS: Int64
    ) -> LimitVerdict {
        let key = address.limitKey
        let mark = ClientMark(key, seed: seed)
        if account == nil, let endNS = bans.end(mark, atNS: nowNS) { return banned(until: endNS, nowNS) }
        let column = 1 + Int(routeClass.rawValue)
        let slot = addresses.find(mark)
        let accountMark = account.map { ClientMark($0, seed: seed) }
        let accountSlot = accountMark.flatMap { accounts.find($0) }

        var asking = Asking(column: column, nowNS: nowNS)
        asking.ask(grid, row: 0, slot.map { (addresses.arrival($0, 0), addresses.arrival($0, column)) } ?? (0, 0))
        let addressWaits = asking.waitNS > 0
        if accountMark != nil {
            asking.ask(
                grid,
                row: 1,
                accountSlot.map { (accounts.arrival($0, 0), accounts.arrival($0, column)) } ?? (0, 0)
            )
        }
        asking.ask(grid, row: 2, (globals[0], globals[column]))
        guard asking.waitNS <= 0 else {
            return refused(asking, offender: addressWaits ? slot : nil, key, mark)
        }
        let home = slot ?? addresses.settle(mark, atNS: nowNS)
        if let arrival = asking.next[0] { addresses.set(home, 0, arrival) }
        if let arrival = asking.next[1] { addresses.set(home, column, arrival) }
        if let accountMark {
            let home = accountSlot ?? accounts.settle(accountMark, atNS: nowNS)
            if let arrival = asking.next[2] { accounts.set(home, 0, arrival) }
            if let arrival = asking.next[3] { accounts.set(home, column, arrival) }
        }
        if let arrival = asking.next[4] { globals[0] = arrival }
        if let arrival = asking.next[5] { globals[column] = arrival }
        return asking.verdict
    }

    private mutating func refused(
        _ asking: Asking,
        offender slot: AllowanceTable.Slot?,
        _ key: LimitKey,
        _ mark: ClientMark
    ) -> LimitVerdict {
        var verdict = asking.verdict
        verdict.outcome = .limited
        verdict.retryAfterSeconds = spread(asking.waitNS)
        let nowNS = asking.nowNS
        guard let slot, let policy = bans.policy, bans.end(mark, atNS: nowNS) == nil else { return verdict }
        let counting = LimitGrid.Cell(intervalNS: policy.after.intervalNS, toleranceNS: policy.after.toleranceNS)
        let counted = addresses.arrival(slot, Self.offences)
        guard counting.excess(counted, nowNS) > 0 else {
            addresses.set(slot, Self.offences, counting.next(counted, nowNS))
            return verdict
        }
        addresses.set(slot, Self.offences, 0)
        verdict.beginsBan = true
        guard !policy.isShadow else { return verdict }
        let endNS = bans.begin(key, mark, rule: verdict.rule, atNS: nowNS)
        verdict.outcome = .banned
        verdict.retryAfterSeconds = spread(endNS - nowNS)
        return verdict
    }

    private mutating func banned(until endNS: Int64, _ nowNS: Int64) -> LimitVerdict {
        var verdict = LimitVerdict()
        verdict.outcome = .banned
        verdict.retryAfterSeconds = spread(endNS - nowNS)
        return verdict
    }

    private static let spreadSecondsMax: Int64 = 30

    /// Whole seconds, never too few, and up to half as many again, at most half a minute.
    private mutating func spread(_ waitNS: Int64) -> UInt32 {
        let atLeast = max(1, (waitNS + 999_999_999) / 1_000_000_000)
        return UInt32(
            clamping: UInt64(atLeast) + chance.below(UInt64(min((atLeast + 3) / 2, Self.spreadSecondsMax + 1)))
        )
    }

    // MARK: Bad tokens

    /// Whether the address may still have a token checked that nobody has seen before.
    package func mayTry(_ address: NetworkAddress, atNS nowNS: Int64) -> Bool {
        let column = 1 + Int(RouteClass.auth.rawValue)
        let cell = grid.cells[column]
        guard !cell.isShadow, let slot = addresses.find(ClientMark(address.limitKey, seed: seed)) else { return true }
        return cell.excess(addresses.arrival(slot, column), nowNS) <= 0
    }

    /// Counts a token that was bad against the address' allowance to sign in.
    package mutating func noteFailure(_ address: NetworkAddress, atNS nowNS: Int64) {
        let column = 1 + Int(RouteClass.auth.rawValue)
        let cell = grid.cells[column]
        let mark = ClientMark(address.limitKey, seed: seed)
        let slot = addresses.find(mark) ?? addresses.settle(mark, atNS: nowNS)
        let arrival = addresses.arrival(slot, column)
        if cell.excess(arrival, nowNS) <= 0 { addresses.set(slot, column, cell.next(arrival, nowNS)) }
    }

    // MARK: Bans of other gateways

    package var banCount: Int { bans.count }

    /// Bans begun here since the last call, oldest first.
    package mutating func takeFreshBans() -> [FreshBan] { bans.takeFresh() }

    /// A ban as the store has it. It never shortens one that is known here.
    package mutating func learnBan(_ key: LimitKey, level: Int, remainingNS: Int64, atNS nowNS: Int64) {
        bans.learn(ClientMark(key, seed: seed), level: level, endNS: nowNS + remainingNS, atNS: nowNS)
    }

    /// Ends a ban, and forgets what led to it.
    package mutating func liftBan(_ key: LimitKey) {
        let mark = ClientMark(key, seed: seed)
        bans.lift(mark)
        if let slot = addresses.find(mark) { addresses.clear(slot) }
    }
}

/// One request before its rules, two of each scope: the longest wait, and the arrival times if none waits.
private struct Asking {
    let column: Int
    let nowNS: Int64
    var waitNS: Int64 = 0
    var verdict = LimitVerdict()
    /// Nil keeps the old one: a shadow rule that is over its limit counts nothing more.
    var next: InlineArray<6, Int64?> = .init(repeating: nil)

    init(column: Int, nowNS: Int64) {
        self.column = column
        self.nowNS = nowNS
    }

    @inline(__always)
    mutating func ask(_ grid: borrowing LimitGrid, row: Int, _ arrivals: (all: Int64, own: Int64)) {
        let all = row * LimitGrid.columns
        ask(grid.cells[all], all, arrivals.all, 2 * row)
        ask(grid.cells[all + column], all + column, arrivals.own, 2 * row + 1)
    }

    @inline(__always)
    private mutating func ask(_ cell: LimitGrid.Cell, _ index: Int, _ arrivalNS: Int64, _ place: Int) {
        let excess = cell.excess(arrivalNS, nowNS)
        if excess <= 0 {
            next[place] = cell.next(arrivalNS, nowNS)
        } else if cell.isShadow {
            verdict.shadows |= 1 << UInt32(index)
        } else if excess > waitNS {
            waitNS = excess
            verdict.rule = UInt8(index)
        }
    }
}
