// The waiting rooms as one event loop sees them. Nothing here is shared with another loop, so nothing here is locked.
package import EdgeHTTP
package import NIOCore
import QueueTokens
import Queueing
import RateLimiting
package import Redis
import UsherAPI

/// What all loops use.
package struct RoomSupplies: Sendable {
    package var redis: RedisClient
    package var keys: GatewayKeys
    package var counters: RoomCounters
    package var challenger: Challenger
    package var passWatch: PassWatch
    package var logs: RoomLogs
    package var beaconChain: BeaconChain
    let audits: AuditHeaders
    let readings = Readings()
    package let memory = RoomMemory()

    package init(
        redis: RedisClient,
        keys: GatewayKeys,
        counters: RoomCounters,
        challenger: Challenger,
        passWatch: PassWatch = PassWatch(),
        logs: RoomLogs = RoomLogs(),
        beaconChain: BeaconChain = .quicknet
    ) {
        self.logs = logs
        self.beaconChain = beaconChain
        audits = AuditHeaders(redis: redis, keys: keys.logs.keys)
        self.challenger = challenger
        self.passWatch = passWatch
        self.redis = redis
        self.keys = keys
        self.counters = counters
    }
}

package final class LoopRooms: VisitorRooms {
    static let presenceMax = 65_536
    static let accountsMax = 8192
    static let endingsMax = 65_536
    static let renewalsMax = 65_536
    /// Until then a pull has told every loop of a recovery.
    static let recoveryKnownWithin = Duration.seconds(60)
    static let presenceEvery = TimeAmount.seconds(1)

    let loop: any EventLoop
    let supplies: RoomSupplies
    private(set) var view = RoomsView()
    private var joins: [String: JoinBatcher] = [:]
    let joinReplies: JoinReplies
    private var renewals: [String: RenewalBatcher] = [:]
    private var sightings: [String: SightingBatcher] = [:]
    private var present: [String: Set<UInt64>] = [:]
    private var presentSentAt = NIODeadline.now()
    private var accounts: [String: AccountToken] = [:]
    /// Tokens that were good once, and whose time is over.
    private var lapsed: Set<String> = []
    /// Passes ended here that the snapshot may not know yet, with their expiry.
    private var endings: [String: Moment] = [:]
    /// Passes renewed here, with the expiry that holds.
    private var renewed: [String: Moment] = [:]
    /// Passes of which this loop knows, before the snapshot does, that only tokens from a second on are good.
    private var restamped: [String: (goodFrom: Int64, until: Moment)] = [:]
    /// Places recovered here that the snapshot may not know yet: room and number, and from when tokens are good.
    private var recoveredHere: [String: (goodFrom: Int64, until: Moment)] = [:]
    var sealedSnapshots: [String: SealedSnapshot] = [:]
    private var chanceState: UInt64
    /// Where place bodies are written.
    var bodySpace = ByteBuffer()

    package init(loop: any EventLoop, supplies: RoomSupplies, seed: UInt64) {
        self.loop = loop
        joinReplies = JoinReplies(loop: loop)
        self.supplies = supplies
        chanceState = seed
    }

    /// Swaps in a new view; called a few times a second.
    package func use(_ view: RoomsView) {
        if view.accountKeys != self.view.accountKeys { accounts = [:] }
        self.view = view
        if joins.count > view.rooms.count { joins = joins.filter { view.rooms[$0.key] != nil } }
        if renewals.count > view.rooms.count { renewals = renewals.filter { view.rooms[$0.key] != nil } }
        if sightings.count > view.rooms.count { sightings = sightings.filter { view.rooms[$0.key] != nil } }
        if sealedSnapshots.count > view.rooms.count { sealedSnapshots = [:] }
        guard NIODeadline.now() - presentSentAt >= Self.presenceEvery else { return }
        presentSentAt = .now()
        sendPresence()
        let now = view.now()
        endings = endings.filter { now < $0.value }
        renewed = renewed.filter { now < $0.value }
        restamped = restamped.filter { now < $0.value.until }
        recoveredHere = recoveredHere.filter { now < $0.value.until }
    }

    func room(_ name: some StringProtocol) -> RoomView? { view.rooms[String(name)] }

    // MARK: Batches of this loop

    func joins(of room: RoomView) -> JoinBatcher {
        let name = room.name.text
        if let batcher = joins[name] {
            batcher.noteSeen(room.snapshot.highestNumber)
            return batcher
        }
        let batcher = JoinBatcher(room: room.name, redis: supplies.redis, memory: supplies.memory, loop: loop)
        batcher.noteSeen(room.snapshot.highestNumber)
        joins[name] = batcher
        return batcher
    }

    func renewals(of room: RoomView) -> RenewalBatcher {
        let name = room.name.text
        if let batcher = renewals[name] { return batcher }
        let batcher = RenewalBatcher(room: room.name, redis: supplies.redis, loop: loop)
        renewals[name] = batcher
        return batcher
    }

    func sightings(of room: RoomView) -> SightingBatcher {
        let name = room.name.text
        if let batcher = sightings[name] { return batcher }
        let batcher = SightingBatcher(room: room.name, redis: supplies.redis, loop: loop) { [weak self] pass, verdict in
            self?.noteShared(pass, verdict)
        }
        sightings[name] = batcher
        return batcher
    }

    /// Notes that the holder of a place near the front is there.
    func markPresent(_ rank: UInt64, in room: RoomView) {
        guard rank > room.cursor, rank - room.cursor <= room.nearFront else { return }
        let name = room.name.text
        guard present[name, default: []].count < Self.presenceMax else { return }
        present[name, default: []].insert(rank)
    }

    private func sendPresence() {
        for (name, numbers) in present where !numbers.isEmpty {
            guard let room = view.rooms[name], !room.snapshot.isDegraded else { continue }
            // Lost marks come again with the next poll.
            _ = supplies.redis.callFuture(
                RoomFunctions.present,
                keys: RoomKeys(room.name).forPresence,
                arguments: numbers.map { RedisArgument($0) },
                on: loop
            )
        }
        present = [:]
    }

    // MARK: Passes this loop knows more of than the snapshot

    func noteEnding(_ passID: String, until expiry: Moment) {
        if endings.count < Self.endingsMax { endings[passID] = expiry }
        renewed[passID] = nil
    }

    func hasEnded(_ passID: String, in room: RoomView) -> Bool {
        endings[passID] != nil || room.snapshot.revokedPasses.contains(passID)
    }

    /// Tokens of the pass from before that second are dead; 0: all are.
    func noteRestamp(_ pass: PassToken, goodFrom: Int64) {
        if restamped.count < Self.endingsMax {
            restamped[pass.passID] = (goodFrom, Moment(seconds: pass.endsAt))
        }
    }

    /// From which second on the tokens of a pass are good, 0 when none is; nil when nothing is known of it.
    func goodFrom(_ passID: String, in room: RoomView) -> Int64? {
        let here = restamped.isEmpty ? nil : restamped[passID]?.goodFrom
        guard let told = room.passesGoodFrom[passID] else { return here }
        guard let here else { return told }
        return here == 0 || told == 0 ? 0 : max(here, told)
    }

    func noteRecovered(_ number: UInt64, goodFrom: Int64, in room: RoomView) {
        guard recoveredHere.count < Self.endingsMax else { return }
        recoveredHere["\(room.name.text)/\(number)"] = (goodFrom, view.now() + Self.recoveryKnownWithin)
    }

    /// Whether the place was given to another device since this token of it was made.
    func hasMoved(_ number: UInt64, issuedAt: Int64, in room: RoomView) -> Bool {
        if let from = room.recovered[number], issuedAt < from { return true }
        guard !recoveredHere.isEmpty, let here = recoveredHere["\(room.name.text)/\(number)"] else { return false }
        return issuedAt < here.goodFrom
    }

    func noteRenewal(_ passID: String, until expiry: Moment) {
        if renewed.count < Self.renewalsMax { renewed[passID] = expiry }
    }

    func renewal(of passID: String) -> Moment? { renewed[passID] }

    // MARK: Accounts

    package func account(ofBearer token: Substring) -> String? {
        try? checkedAccount(token).userID
    }

    /// Remembers the tokens it has checked: a signature takes 36 µs.
    func checkedAccount(_ token: Substring) throws(TokenFlaw) -> AccountToken {
        guard token.utf8.count <= TokenRules.bytesMax else { throw .tooLong }
        let text = String(token)
        let now = WallClock.now().seconds
        if let known = accounts[text] {
            guard now < known.expiresAt else { throw .expired }
            return known
        }
        guard !lapsed.contains(text) else { throw .expired }
        let account: AccountToken
        do {
            account = try view.accountKeys.verifySignature(ofAccount: text, at: now)
        } catch {
            if error == .expired {
                if lapsed.count >= Self.accountsMax { lapsed = [] }
                lapsed.insert(text)
            }
            throw error
        }
        if accounts.count >= Self.accountsMax { accounts = [:] }
        accounts[text] = account
        return account
    }

    package func remembered(bearer token: Substring) -> RememberedBearer {
        let text = String(token)
        guard let known = accounts[text] else { return lapsed.contains(text) ? .lapsed : .new }
        return WallClock.now().seconds < known.expiresAt ? .account(known.userID) : .lapsed
    }

    package func standing(of address: ClientAddress, in head: EdgeRequestHead) -> Standing {
        guard !view.access.isEmpty else { return .ordinary }
        let address = NetworkAddress(address)
        if names(view.access.denied, address, head) { return .denied }
        return names(view.access.allowed, address, head) ? .allowed : .ordinary
    }

    private func names(_ list: AccessList, _ address: NetworkAddress, _ head: EdgeRequestHead) -> Bool {
        if list.namesAddresses, list.names(address, atMS: view.now().milliseconds) { return true }
        guard list.namesAgents else { return false }
        return head.withValue(of: .userAgent) { list.names(agent: $0, atMS: view.now().milliseconds) } ?? false
    }

    package func standing(ofAccount account: String) -> Standing {
        if view.access.denied.names(account: account, atMS: view.now().milliseconds) { return .denied }
        if view.access.allowed.names(account: account, atMS: view.now().milliseconds) { return .allowed }
        return .ordinary
    }

    // MARK: Chance

    /// Evenly from 0 to 1, for jitter only (SplitMix64).
    func chance() -> Double {
        chanceState &+= 0x9e37_79b9_7f4a_7c15
        var z = chanceState
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return Double((z ^ (z >> 31)) >> 11) * 0x1p-53
    }
}
