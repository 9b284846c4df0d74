package import Ordering
package import Redis

/// Holds as Redis functions (`Functions/seats.lua`): each call is one atomic function on one session's keys.
///
/// Any failure of Redis is `inventoryUnavailable`: without Redis nothing is held, and nothing is sold wrongly, as
/// PostgreSQL's claims decide. A call whose outcome is unknown is safe to repeat with the same hold id.
package struct RedisHoldStore: HoldStore {
    private let redis: RedisClient
    private let loadDeadline: Duration
    /// Projections sent together, so that one pipeline stays far below the client's bound.
    private static let projectionsMax = 256

    /// One library out of the files of `Functions`, in the order in which they need each other.
    private static let library = RedisFunctionLibrary(
        name: "usher_seats",
        source: PackageResources.seats_lua + PackageResources.dropping_lua + PackageResources.runs_lua
            + PackageResources.writing_lua
            + PackageResources.choosing_lua + PackageResources.holding_lua + PackageResources.settling_lua
            + PackageResources.forcing_lua + PackageResources.loading_lua
    )

    /// - Parameters:
    ///   - redis: the client; it must be running.
    ///   - loadDeadline: for building a whole session, which is one large command.
    package init(redis: RedisClient, loadDeadline: Duration = .seconds(15)) {
        self.redis = redis
        self.loadDeadline = loadDeadline
    }

    package func place(_ hold: NewHold) async throws(HoldFailure) -> Hold {
        let reply = try await call(
            "place",
            hold.session,
            [
                .text(hold.id.description), .text(hold.account.description), .text(hold.pass ?? ""),
                .integer(hold.limit), .text(String(hold.lifetime.milliseconds)), .text(String(hold.epoch)),
                .text((hold.coolsDown ? "c" : "") + (hold.isOffer ? "o" : "")),
            ] + hold.selection.arguments
        )
        return try reply.hold(hold.id, in: hold.session, limit: hold.limit)
    }

    package func hold(_ id: HoldID, in session: SessionID) async throws(HoldFailure) -> Hold {
        try await call("read", session, [.text(id.description)]).hold(id, in: session)
    }

    package func touch(
        _ id: HoldID,
        in session: SessionID,
        by account: AccountID,
        atLeast: Duration,
        epoch: Int64
    ) async throws(HoldFailure) -> Hold {
        let reply = try await call(
            "touch",
            session,
            [
                .text(id.description), .text(account.description), .text(String(atLeast.milliseconds)),
                .text(String(epoch)),
            ]
        )
        return try reply.hold(id, in: session)
    }

    package func extend(_ id: HoldID, in session: SessionID, by account: AccountID, _ rule: HoldExtension)
        async throws(HoldFailure) -> Hold
    {
        let reply = try await call(
            "extend",
            session,
            [
                .text(id.description), .text(account.description), .text(String(rule.lifetime.milliseconds)),
                .integer(rule.timesMax), .text(String(rule.sinceMadeMax.milliseconds)), .text(String(rule.epoch)),
            ]
        )
        return try reply.hold(id, in: session)
    }

    package func release(_ id: HoldID, in session: SessionID, by account: AccountID) async throws(HoldFailure) {
        _ = try await call("release", session, [.text(id.description), .text(account.description)]).words()
    }

    package func sweep(_ session: SessionID, limit: Int) async throws(HoldFailure) -> Int {
        try await call("sweep", session, [.integer(limit)]).number(at: 1)
    }

    package func letters(of session: SessionID, sections: Int) async throws(HoldFailure) -> SeatLetters {
        let reply = try await call("letters", session, [])
        let words = try reply.words()
        guard words.count == 3 + sections else { throw .inventoryUnavailable("the session has other sections") }
        return SeatLetters(
            epoch: Int64(try reply.number(at: 1)),
            sequence: Int64(try reply.number(at: 2)),
            sections: Array(words.dropFirst(3))
        )
    }

    package func changes(
        of session: SessionID,
        after sequence: Int64,
        limit: Int
    ) async throws(HoldFailure) -> SeatChanges {
        let reply = try await call("changes", session, [.text(String(sequence)), .integer(limit)])
        let words = try reply.words()
        var changes: [SeatChange] = []
        changes.reserveCapacity(words.count)
        for word in words.dropFirst(2) {
            guard let change = SeatChange(word) else { throw .inventoryUnavailable("unexpected answer \(word)") }
            changes.append(change)
        }
        return SeatChanges(epoch: Int64(try reply.number(at: 1)), changes: changes)
    }

    package func counts(of session: SessionID) async throws(HoldFailure) -> SeatCounts {
        let reply = try await call("counts", session, [])
        return SeatCounts(
            free: try reply.number(at: 1),
            held: try reply.number(at: 2),
            pending: try reply.number(at: 3),
            sold: try reply.number(at: 4),
            blocked: try reply.number(at: 5)
        )
    }

    /// A session loaded before the server last started has none: it is built anew from PostgreSQL.
    package func epochs(of sessions: [SessionID]) async throws(HoldFailure) -> [Int64?] {
        var epochs: [Int64?] = []
        do {
            let calls = sessions.map { (keys: [RedisArgument.text(Self.tag($0))], arguments: [RedisArgument]()) }
            for value in try await redis.pipeline(Self.library.function("epoch"), calls: calls) {
                epochs.append((try? HoldReply(value).number(at: 1)).map { Int64($0) })
            }
        } catch {
            throw .inventoryUnavailable("\(error)")
        }
        return epochs
    }

    package func load(_ inventory: SessionInventory) async throws(HoldFailure) {
        let reply = try await call(
            "load",
            inventory.session,
            SessionImage(inventory).arguments,
            deadline: loadDeadline
        )
        _ = try reply.words()
    }

    private func call(
        _ name: String,
        _ session: SessionID,
        _ arguments: [RedisArgument],
        deadline: Duration? = nil
    ) async throws(HoldFailure) -> HoldReply {
        do {
            let value = try await redis.call(
                Self.library.function(name),
                keys: [.text(Self.tag(session))],
                arguments: arguments,
                deadline: deadline
            )
            return HoldReply(value)
        } catch {
            throw .inventoryUnavailable("\(error)")
        }
    }

    // MARK: Staff and the comparison

    package func force(_ change: ForcedChange, _ seats: [SeatNumber], in session: SessionID)
        async throws(HoldFailure) -> Int
    {
        let (wanted, from) = change.letters
        return try await call("force", session, [.text(wanted), .text(from), .seats(seats)]).number(at: 1)
    }

    package func keepForWaiting(_ session: SessionID, lasting: Duration, servedThrough sequence: Int64?)
        async throws(HoldFailure) -> Int64
    {
        let served = sequence.map { String($0) } ?? ""
        return Int64(
            try await call("keep", session, [.text(String(lasting.milliseconds)), .text(served)]).number(at: 1)
        )
    }

    package func standing(of session: SessionID, sections: Int) async throws(HoldFailure) -> SeatStanding {
        let reply = try await call("standing", session, [])
        let words = try reply.words()
        guard words.count == 3 + sections else { throw .inventoryUnavailable("the session has other sections") }
        return SeatStanding(
            epoch: Int64(try reply.number(at: 1)),
            ordered: Set(words[2].split(separator: ",").compactMap { SeatNumber($0) }),
            letters: words.dropFirst(3).flatMap { $0.utf8.filter { $0 != UInt8(ascii: "|") } }
        )
    }

    static func tag(_ session: SessionID) -> String { "{s:\(session)}" }
}

// MARK: What PostgreSQL decided

extension RedisHoldStore {
    /// Sent as pipelines on one connection, so that the order given is the order carried out.
    package func project(_ projections: [SeatProjection]) async -> [HoldFailure?] {
        var outcomes: [HoldFailure?] = []
        outcomes.reserveCapacity(projections.count)
        var rest = projections[...]
        while !rest.isEmpty {
            outcomes += await settle(Array(rest.prefix(Self.projectionsMax)))
            rest = rest.dropFirst(Self.projectionsMax)
        }
        return outcomes
    }

    private func settle(_ projections: [SeatProjection]) async -> [HoldFailure?] {
        let function = Self.library.function("settle")
        do {
            let calls = projections.map { (keys: [RedisArgument.text(Self.tag($0.session))], arguments: $0.arguments) }
            return try await redis.pipeline(function, calls: calls).map { value in
                do throws(HoldFailure) {
                    _ = try HoldReply(value).words()
                    return nil
                } catch {
                    return error
                }
            }
        } catch {
            return projections.map { _ in .inventoryUnavailable("\(error)") }
        }
    }
}

extension SeatProjection {
    fileprivate var arguments: [RedisArgument] {
        let (word, deadline): (String, Int64) =
            switch outcome {
            case .pinned(let until): ("pinned", until.milliseconds)
            case .sold: ("sold", 0)
            case .free: ("free", 0)
            case .blocked: ("blocked", 0)
            }
        return [
            .text(word), .text(hold.description), .text(order.description), .text(account.description),
            .text(String(deadline)), .seats(seats),
        ]
    }
}

extension SeatSelection {
    /// The word of the choice and what it takes.
    fileprivate var arguments: [RedisArgument] {
        switch self {
        case .named(let seats, let leavesNoOrphan): ["seats", .seats(seats), leavesNoOrphan ? "1" : "0"]
        case .best(let best):
            [
                "best", .integer(best.quantity), best.isPartial ? "partial" : "all", best.isTogether ? "1" : "0",
                best.isAccessible ? "1" : "0", .text(best.sections.map { "\($0)" }.joined(separator: ",")),
            ]
        case .areas(let areas):
            ["areas", .text(areas.map { "\($0.section):\($0.quantity)" }.joined(separator: ","))]
        }
    }
}

extension ForcedChange {
    /// The letter wanted, and those it may be now (`P`: held by an order).
    fileprivate var letters: (wanted: String, from: String) {
        switch self {
        case .block: ("B", "FH")
        case .unblock: ("F", "B")
        case .mendBlocked: ("B", "FHPS")
        case .mendFree: ("F", "PSB")
        }
    }
}

extension SeatChange {
    /// `<sequence> <letter> <seats> <letter> <seats> …`
    fileprivate init?(_ text: String) {
        let parts = text.split(separator: " ")
        guard let number = parts.first, let sequence = Int64(number), parts.count % 2 == 1 else { return nil }
        let steps = stride(from: 1, to: parts.count, by: 2).map { index in
            Step(
                letter: parts[index].utf8.first ?? 0,
                seats: parts[index + 1].split(separator: ",").compactMap { SeatNumber($0) }
            )
        }
        self.init(sequence: sequence, steps: steps)
    }
}

extension RedisArgument {
    /// Seat numbers with commas, as the functions take them.
    static func seats(_ seats: some Sequence<SeatNumber>) -> RedisArgument {
        .text(seats.lazy.map { String($0) }.joined(separator: ","))
    }
}
