import Signing

/// The fairness policy of a waiting room: one JSON document, versioned by its room, known by its hash.
package struct RoomPolicy: Sendable, Equatable {
    package enum OrderMethod: String, Sendable, CaseIterable {
        case firstCome = "first_come"
        case lottery
    }

    /// Where the chance of a lottery comes from.
    package enum Beacon: String, Sendable, CaseIterable {
        /// A round of the public beacon, named before the seal.
        case drand
        /// The room's own secret, committed at creation: weaker, as its keeper knows it beforehand.
        case commitReveal = "commit_reveal"
    }

    package enum Identity: String, Sendable, CaseIterable {
        case device, account
    }

    /// What is done about a pass that two networks use at the same time.
    package enum Sharing: String, Sendable, CaseIterable {
        /// Nothing is looked for.
        case allow
        /// It is counted and recorded.
        case log
        /// The pass must be claimed again with the place, which only one of the two has.
        case stepUp = "step_up"
        /// The pass ends.
        case end
    }

    package struct Schedule: Sendable, Equatable {
        package var joinOpensAt: Moment?
        package var saleOpensAt: Moment?
        package var closesAt: Moment?
    }

    package struct Admission: Sendable, Equatable {
        package var perMinute: Int
        package var activeMax: Int
        /// Nil stands for one second of pace.
        package var burst: Int?
        package var rampSeconds: Int
        package var isAdaptive: Bool

        package var burstAllowed: Int { burst ?? max(1, perMinute / 60) }
    }

    package static let extensionsMaxMax = 20
    package static let documentBytesMax = 16_384
    package static let messageBytesMax = 500
    package static let protectedSessionsMax = 50
    package static let tieWindowMSMax = 10_000
    package static let perMinuteMax = 6_000_000
    package static let activeMaxMax = 10_000_000

    package var order: OrderMethod
    package var tieWindowMS: Int
    /// Of a lottery.
    package var beacon: Beacon?
    package var schedule: Schedule
    package var admission: Admission
    package var claim: ClaimWindow
    package var passIdleSeconds: Int
    package var passLifetimeSeconds: Int
    package var passSharing: Sharing
    package var identity: Identity
    package var challenge: Challenge
    package var message: String?
    /// Ids of the sessions whose page, seats, holds and orders need a pass.
    package var protectedSessions: [String]
}

extension RoomPolicy {
    /// Reads a document; absent members take their defaults, unknown ones are refused.
    package init(json bytes: [UInt8]) throws(PolicyFlaw) {
        guard bytes.count <= Self.documentBytesMax else {
            throw PolicyFlaw("", "a policy has at most \(Self.documentBytesMax) bytes")
        }
        guard let value = JSONValue(parsing: bytes) else { throw PolicyFlaw("", "is not JSON") }
        try self.init(value)
    }

    init(_ value: JSONValue) throws(PolicyFlaw) {
        var reader = try PolicyReader(value, path: "")
        (order, tieWindowMS, beacon) = try Self.readOrder(&reader)
        schedule = try Self.readSchedule(&reader)
        guard order != .lottery || schedule.saleOpensAt != nil else {
            throw PolicyFlaw("schedule.sale_opens_at", "must be set with a lottery: the list is sealed then")
        }
        admission = try Self.readAdmission(&reader)
        var claimReader = try reader.object("claim")
        claim = ClaimWindow(
            windowSeconds: try claimReader.integer("window_seconds", in: 1...3600, default: 120),
            graceSeconds: try claimReader.integer("grace_seconds", in: 0...86_400, default: 300),
            extensionsMax: try claimReader.integer(
                "extensions_max",
                in: 0...Self.extensionsMaxMax,
                default: ClaimWindow.standardExtensionsMax
            )
        )
        try claimReader.finish()
        (passIdleSeconds, passLifetimeSeconds, passSharing) = try Self.readPass(&reader)
        identity = try reader.choice("identity", default: .device)
        // A room has no limits of its own yet; the gateway's apply.
        try reader.object("limits").finish()
        var challengeReader = try reader.object("challenge")
        challenge = try Challenge(&challengeReader)
        guard challenge != .attestation || identity == .device else {
            throw PolicyFlaw("identity", "must be device with entry tickets: the ticket says who joins")
        }
        message = try reader.text("message", lengthMax: Self.messageBytesMax)
        protectedSessions = try Self.readProtected(&reader)
        try reader.finish()
    }

    private static func readOrder(
        _ reader: inout PolicyReader
    ) throws(PolicyFlaw) -> (OrderMethod, Int, Beacon?) {
        var order = try reader.object("order")
        let method = try order.choice("method", default: OrderMethod.firstCome)
        switch method {
        case .firstCome:
            let tieWindow = try order.integer("tie_window_ms", in: 0...tieWindowMSMax, default: 0)
            try order.finish()
            return (method, tieWindow, nil)
        case .lottery:
            // All of the cohort is one tie, and whoever comes later is in order of arrival.
            _ = try order.integer("tie_window_ms", in: 0...0, default: 0)
            let beacon = try order.choice("beacon", default: Beacon.drand)
            try order.finish()
            return (method, 0, beacon)
        }
    }

    private static func readSchedule(_ reader: inout PolicyReader) throws(PolicyFlaw) -> Schedule {
        var times = try reader.object("schedule")
        let schedule = Schedule(
            joinOpensAt: try times.moment("join_opens_at"),
            saleOpensAt: try times.moment("sale_opens_at"),
            closesAt: try times.moment("closes_at")
        )
        try times.finish()
        let inOrder = [schedule.joinOpensAt, schedule.saleOpensAt, schedule.closesAt].compactMap { $0 }
        guard zip(inOrder, inOrder.dropFirst()).allSatisfy({ $0 <= $1 }) else {
            throw PolicyFlaw("schedule", "times must be in order: join_opens_at, sale_opens_at, closes_at")
        }
        return schedule
    }

    private static func readAdmission(_ reader: inout PolicyReader) throws(PolicyFlaw) -> Admission {
        var members = try reader.object("admission")
        let admission = Admission(
            perMinute: try members.integer("per_minute", in: 1...perMinuteMax, default: 600),
            activeMax: try members.integer("active_max", in: 1...activeMaxMax, default: 2000),
            burst: try members.optionalInteger("burst", in: 1...perMinuteMax),
            rampSeconds: try members.integer("ramp_seconds", in: 0...3600, default: 60),
            isAdaptive: try members.bool("adaptive", default: true)
        )
        try members.finish()
        return admission
    }

    private static func readPass(_ reader: inout PolicyReader) throws(PolicyFlaw) -> (Int, Int, Sharing) {
        var members = try reader.object("pass")
        let idle = try members.integer("idle_seconds", in: 1...3600, default: 300)
        let lifetime = try members.integer("lifetime_seconds", in: 1...86_400, default: max(900, idle))
        let sharing = try members.choice("sharing", default: Sharing.log)
        try members.finish()
        guard idle <= lifetime else { throw PolicyFlaw("pass.idle_seconds", "must not exceed lifetime_seconds") }
        return (idle, lifetime, sharing)
    }

    private static func readProtected(_ reader: inout PolicyReader) throws(PolicyFlaw) -> [String] {
        var sessions: [String] = []
        for (index, value) in try reader.list("protects", countMax: protectedSessionsMax).enumerated() {
            var entry = try PolicyReader(value, path: "protects[\(index)]")
            let session = try entry.text("session", lengthMax: 30)
            try entry.finish()
            guard let session, isSessionID(session) else {
                throw PolicyFlaw("protects[\(index)].session", "must be a session id: ses_ and 26 characters")
            }
            guard !sessions.contains(session) else {
                throw PolicyFlaw("protects[\(index)].session", "is named twice")
            }
            sessions.append(session)
        }
        return sessions
    }

    /// `ses_` and 26 characters of lower-case Crockford base32.
    package static func isSessionID(_ text: some StringProtocol) -> Bool {
        let bytes = text.utf8
        guard bytes.count == 30, text.hasPrefix("ses_") else { return false }
        return bytes.dropFirst(4).allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): true
            case UInt8(ascii: "i"), UInt8(ascii: "l"), UInt8(ascii: "o"), UInt8(ascii: "u"): false
            case UInt8(ascii: "a")...UInt8(ascii: "z"): true
            default: false
            }
        }
    }
}
