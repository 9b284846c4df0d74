/// A room as a gateway sees it: pulled from Redis a few times a second, never changed, answered from without a store.
package struct RoomSnapshot: Sendable, Equatable {
    /// What can be hoped for. Kept in the store as its raw value.
    package enum Outlook: Sendable, Equatable, RawRepresentable {
        /// Seats may be had.
        case open
        /// Seats may be had, and will hardly last for ranks beyond this one.
        case unlikely(beyond: UInt64)
        /// No seat is free, held or pending: nobody more is called.
        case gone
        /// The shop does not answer: until it does nobody is called, nobody can claim, and no deadline runs.
        case away

        private static let unlikelyStart = "unlikely:"

        /// `open`, `unlikely:<rank>`, `gone`, `away`.
        package init?(rawValue: String) {
            switch rawValue {
            case "open": self = .open
            case "gone": self = .gone
            case "away": self = .away
            default:
                guard rawValue.hasPrefix(Self.unlikelyStart),
                    let rank = UInt64(rawValue.dropFirst(Self.unlikelyStart.count))
                else { return nil }
                self = .unlikely(beyond: rank)
            }
        }

        package var rawValue: String {
            if case .unlikely(let rank) = self { Self.unlikelyStart + String(rank) } else { name }
        }

        /// Without the rank: what a visitor is told, and a log.
        package var name: String {
            switch self {
            case .open: "open"
            case .unlikely: "unlikely"
            case .gone: "gone"
            case .away: "away"
            }
        }

        /// What the holder of this rank is told while waiting, and one that is called already (nil).
        package func name(ofWaiting rank: UInt64?) -> String {
            guard case .unlikely(let beyond) = self else { return name }
            return rank.map { $0 > beyond } ?? false ? name : "open"
        }
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
    /// How often they asked.
    package var extensionsUsed: [UInt64: Int]
    /// Numbers whose tokens from before a second (since 1970) are dead: the place was recovered.
    package var recovered: [UInt64: Int64]
    package var order: OrderRecord
    package var livePasses: Int
    package var rate: CallingRate
    /// Smoothed moves of the cursor, places per minute.
    package var ratePerMinute: Double { rate.realised }
    package var revokedPasses: Set<String>
    /// Passes by id of which only tokens from a second (since 1970) on are good, as two networks used them; 0: none is.
    package var passesGoodFrom: [String: Int64]
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
        extensionsUsed: [UInt64: Int] = [:],
        recovered: [UInt64: Int64] = [:],
        order: OrderRecord = OrderRecord(),
        livePasses: Int = 0,
        ratePerMinute: Double = 0,
        rate: CallingRate? = nil,
        revokedPasses: Set<String> = [],
        passesGoodFrom: [String: Int64] = [:],
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
        self.extensionsUsed = extensionsUsed
        self.recovered = recovered
        self.order = order
        self.livePasses = livePasses
        self.rate = rate ?? CallingRate(realised: ratePerMinute)
        self.revokedPasses = revokedPasses
        self.passesGoodFrom = passesGoodFrom
        self.outlook = outlook
        self.dedupeKey = dedupeKey
        self.isDegraded = isDegraded
        self.asOf = asOf
    }
}
