/// A room as a gateway sees it: pulled from Redis a few times a second, never changed, answered from without a store.
package struct RoomSnapshot: Sendable, Equatable {
    package enum Outlook: String, Sendable {
        /// Seats may be had.
        case open
        /// No seat is free, held or pending: nobody more is called.
        case gone
        /// The shop does not answer: until it does nobody is called, nobody can claim, and no deadline runs.
        case away
    }

    package var name: RoomName
    package var policy: RoomPolicy
    package var policyHash: String
    package var version: Int
    package var phase: Phase
    package var override: Override
    /// Since when nobody is called and nobody can claim; nil while they can.
    package var pausedAt: Moment?
    /// Tokens of another generation are dead.
    package var generation: Int
    /// Counts the times the room lost its memory.
    package var epoch: Int
    package var cursor: UInt64
    package var lastNumber: UInt64
    /// The highest number this gateway knows of: beyond `lastNumber` when the store has lost its latest.
    package var highestNumber: UInt64
    package var calls: CallMarks
    /// Called places that asked in time and wait for room: they are never too late.
    package var turnedUp: Set<UInt64>
    /// Called places that asked for longer, by rank.
    package var extended: [UInt64: Moment]
    /// Numbers whose tokens from before a second (since 1970) are dead: the place was recovered.
    package var recovered: [UInt64: Int64]
    package var order: OrderRecord
    package var livePasses: Int
    /// Smoothed moves of the cursor, places per minute.
    package var ratePerMinute: Double
    package var revokedPasses: Set<String>
    package var outlook: Outlook
    /// The key of the room's dedupe tags.
    package var dedupeKey: [UInt8]
    /// Set when the store is away and this is the last that was seen.
    package var isDegraded: Bool
    package var asOf: Moment

    package init(
        name: RoomName,
        policy: RoomPolicy,
        policyHash: String,
        version: Int,
        phase: Phase,
        override: Override = .none,
        pausedAt: Moment? = nil,
        generation: Int = 1,
        epoch: Int = 1,
        cursor: UInt64 = 0,
        lastNumber: UInt64 = 0,
        calls: CallMarks = CallMarks(),
        turnedUp: Set<UInt64> = [],
        extended: [UInt64: Moment] = [:],
        recovered: [UInt64: Int64] = [:],
        order: OrderRecord = OrderRecord(),
        livePasses: Int = 0,
        ratePerMinute: Double = 0,
        revokedPasses: Set<String> = [],
        outlook: Outlook = .open,
        dedupeKey: [UInt8] = [],
        isDegraded: Bool = false,
        asOf: Moment
    ) {
        self.name = name
        self.policy = policy
        self.policyHash = policyHash
        self.version = version
        self.phase = phase
        self.override = override
        self.pausedAt = pausedAt
        self.generation = generation
        self.epoch = epoch
        self.cursor = cursor
        self.lastNumber = lastNumber
        highestNumber = lastNumber
        self.calls = calls
        self.turnedUp = turnedUp
        self.extended = extended
        self.recovered = recovered
        self.order = order
        self.livePasses = livePasses
        self.ratePerMinute = ratePerMinute
        self.revokedPasses = revokedPasses
        self.outlook = outlook
        self.dedupeKey = dedupeKey
        self.isDegraded = isDegraded
        self.asOf = asOf
    }
}
