// Rooms in the admin API: create, read, change, open, pause, and what they count.
import EdgeHTTP
import Logging
import NIOCore
import Queueing
import Signing
import UsherAPI

extension AdminAPI {
    func listRooms() async throws -> EdgeReply {
        var reports: [String] = []
        for name in try await store.names() {
            if let room = try await store.read(name) { reports.append(room.report) }
        }
        return json(200, #"{"data":[\#(reports.joined(separator: ","))],"next_cursor":null}"#)
    }

    func readRoom(_ name: RoomName) async throws -> EdgeReply {
        guard let room = try await store.read(name) else { throw AdminRefusal(.notFound) }
        return json(200, room.report, headers: ["ETag": room.tag])
    }

    /// `If-None-Match: *` makes a room, `If-Match: "version"` changes its policy.
    func putRoom(_ name: RoomName, _ request: EdgeRequest) async throws -> EdgeReply {
        let policy: RoomPolicy
        do {
            policy = try RoomPolicy(json: Array(request.body.readableBytesView))
        } catch {
            throw AdminRefusal(.policyInvalid, "\(error)")
        }
        if let lack = challenger.lacks(policy.challenge) {
            throw AdminRefusal(.policyInvalid, "challenge.kind: \(lack)")
        }
        if let condition = request.first("If-None-Match") {
            guard condition == "*" else { throw AdminRefusal(.badRequest, "If-None-Match must be *") }
            return try await create(name, policy, request)
        }
        guard let condition = request.first("If-Match") else {
            throw AdminRefusal(
                .preconditionRequired,
                "send If-None-Match: * to create or If-Match: \"version\" to change"
            )
        }
        guard let version = Self.version(condition) else {
            throw AdminRefusal(.preconditionFailed, "If-Match must be the ETag of the room")
        }
        return try await change(name, policy, version: version)
    }

    /// A session is entered through one room: with two, buyers would hold the pass of the wrong one.
    private func refuseDoubleProtection(_ policy: RoomPolicy, by name: RoomName) throws {
        for session in policy.protectedSessions {
            if let other = rooms.view.protecting[session], other != name.text {
                throw AdminRefusal(.policyInvalid, "session \(session) is protected by room \(other) already")
            }
        }
    }

    private static func version(_ tag: String) -> Int? {
        guard tag.utf8.count >= 3, tag.hasPrefix("\""), tag.hasSuffix("\"") else { return nil }
        return Int(tag.dropFirst().dropLast())
    }

    private func create(_ name: RoomName, _ policy: RoomPolicy, _ request: EdgeRequest) async throws -> EdgeReply {
        var phase = Phase.atCreation(policy.schedule, at: WallClock.now())
        if policy.order == .lottery, phase == .active {
            throw AdminRefusal(.policyInvalid, "schedule.sale_opens_at: a lottery cannot begin after its seal")
        }
        if let wanted = request.queryValue("phase") {
            guard wanted == Phase.draft.rawValue else {
                throw AdminRefusal(.validationFailed, "a room is made in the phase of its schedule, or in draft")
            }
            phase = .draft
        }
        try refuseDoubleProtection(policy, by: name)
        let generation = Int(WallClock.now().seconds)
        guard try await store.create(name, policy, phase: phase, generation: generation) else {
            throw AdminRefusal(.preconditionFailed, "there is a room of that name")
        }
        logger.notice(
            "room made",
            metadata: ["room": "\(name)", "phase": "\(phase.rawValue)", "policy": "\(policy.hash)"]
        )
        try await rooms.waitUntilKnown(name.text, within: .seconds(2))
        guard let room = try await store.read(name) else { throw AdminRefusal(.internalError) }
        return json(201, room.report, headers: ["ETag": room.tag])
    }

    private func change(_ name: RoomName, _ policy: RoomPolicy, version: Int) async throws -> EdgeReply {
        try refuseDoubleProtection(policy, by: name)
        switch try await store.update(name, policy, version: version) {
        case .noRoom: throw AdminRefusal(.notFound)
        case .conflict(let current):
            throw AdminRefusal(.preconditionFailed, "the room is at version \(current)")
        case .frozen(let member):
            throw AdminRefusal(.policyFrozen, "\(member) cannot change any more: places were given under it")
        case .done(let version):
            logger.notice(
                "policy changed",
                metadata: ["room": "\(name)", "version": "\(version)", "policy": "\(policy.hash)"]
            )
            return try await readRoom(name)
        }
    }

    private struct MessageBody: Decodable {
        var message: String?
    }

    /// Changes nothing but the message, whatever the version.
    func putMessage(_ name: RoomName, _ request: EdgeRequest) async throws -> EdgeReply {
        let message = try decode(MessageBody.self, request).message
        for _ in 0..<Self.messageAttemptsMax {
            guard let room = try await store.read(name) else { throw AdminRefusal(.notFound) }
            var policy = room.snapshot.policy
            policy.message = message
            do {
                policy = try RoomPolicy(json: policy.canonicalJSON)
            } catch {
                throw AdminRefusal(.policyInvalid, "\(error)")
            }
            let outcome = try await store.update(name, policy, version: room.snapshot.version)
            if case .done = outcome { return try await readRoom(name) }
        }
        throw AdminRefusal(.versionConflict)
    }

    private static let messageAttemptsMax = 5

    private struct PhaseBody: Decodable {
        var phase: String
    }

    private struct OverrideBody: Decodable {
        var override: String
        /// Needed with `fail_open`, which ends by itself.
        var seconds: Int64?
    }

    private struct RevokeBody: Decodable {
        var pass: String
    }

    func act(_ action: String, on name: RoomName, _ request: EdgeRequest) async throws -> EdgeReply {
        switch action {
        case "phase": return try await setPhase(name, try decode(PhaseBody.self, request).phase)
        case "pause": return try await setOverride(name, .paused)
        case "resume": return try await setOverride(name, .none)
        case "override":
            let body = try decode(OverrideBody.self, request)
            return try await setOverride(name, try Self.override(body.override, seconds: body.seconds))
        case "revoke": return try await revoke(name, try decode(RevokeBody.self, request).pass)
        default: throw AdminRefusal(.notFound)
        }
    }

    private func setPhase(_ name: RoomName, _ text: String) async throws -> EdgeReply {
        guard let next = Phase(rawValue: text) else { throw AdminRefusal(.validationFailed, "no such phase") }
        guard let room = try await store.read(name)?.snapshot else { throw AdminRefusal(.notFound) }
        guard next != .drawn else {
            throw AdminRefusal(.invalidTransition, "a sealed room is drawn with its beacon, and by nobody")
        }
        guard room.phase.mayBecome(next, order: room.policy.order) else {
            throw AdminRefusal(
                .invalidTransition,
                "a room that is \(room.phase.rawValue) cannot become \(next.rawValue)"
            )
        }
        switch try await store.setPhase(name, from: room.phase, to: next) {
        case .done: break
        case .noRoom: throw AdminRefusal(.notFound)
        case .conflict: throw AdminRefusal(.versionConflict, "the phase has just been changed")
        }
        logger.notice("phase changed", metadata: ["room": "\(name)", "phase": "\(next.rawValue)"])
        return try await readRoom(name)
    }

    private static func override(_ text: String, seconds: Int64?) throws(AdminRefusal) -> Override {
        if text == "fail_open" {
            guard let seconds, (1...(Override.failOpenMax.wholeMilliseconds / 1000)).contains(seconds) else {
                throw AdminRefusal(.validationFailed, "fail_open needs seconds, from 1 to 3600")
            }
            return .failOpen(until: WallClock.now() + .seconds(seconds))
        }
        guard let override = Override(text: text), !text.contains(":") else {
            throw AdminRefusal(.validationFailed, "override is none, paused, passthrough, reject or fail_open")
        }
        return override
    }

    private func setOverride(_ name: RoomName, _ override: Override) async throws -> EdgeReply {
        guard try await store.setOverride(name, override) == .done else { throw AdminRefusal(.notFound) }
        logger.notice("override changed", metadata: ["room": "\(name)", "override": "\(override.text)"])
        return try await readRoom(name)
    }

    private func revoke(_ name: RoomName, _ passID: String) async throws -> EdgeReply {
        guard (1...64).contains(passID.utf8.count) else { throw AdminRefusal(.validationFailed, "pass is a pass id") }
        guard let room = try await store.read(name)?.snapshot else { throw AdminRefusal(.notFound) }
        // Longer than the token can last.
        let until = WallClock.now() + .seconds(room.policy.passLifetimeSeconds)
        let wasLive = try await store.revoke(name, passID: passID, until: until)
        logger.notice("pass revoked", metadata: ["room": "\(name)", "pass": "\(passID)"])
        return json(
            200,
            #"{"pass":\#(String(decoding: JSONText.quoted(passID), as: UTF8.self)),"was_live":\#(wasLive)}"#
        )
    }
}

extension Phase {
    /// A room opens at the times of its schedule; what has no time is open at once.
    static func atCreation(_ schedule: RoomPolicy.Schedule, at now: Moment) -> Phase {
        if let opens = schedule.joinOpensAt, now < opens { return .scheduled }
        if let opens = schedule.saleOpensAt, now < opens { return .prequeue }
        return .active
    }
}

extension KnownRoom {
    var tag: String { "\"\(snapshot.version)\"" }

    /// The room as admins see it.
    var report: String {
        let room = snapshot
        let waiting = room.lastNumber > room.cursor ? room.lastNumber - room.cursor : 0
        var text =
            #"{"room":"\#(room.name.text)","phase":"\#(room.phase.rawValue)","override":"\#(room.override.text)""#
        text += #","version":\#(room.version),"hash":"\#(room.policyHash)","generation":\#(room.generation)"#
        text += #","epoch":\#(room.epoch),"policy":\#(String(decoding: room.policy.canonicalJSON, as: UTF8.self))"#
        text += #","numbers":{"places":\#(room.lastNumber),"cursor":\#(room.cursor),"waiting":\#(waiting)"#
        text += #","turned_up":\#(room.turnedUp.count),"live_passes":\#(room.livePasses),"granted":\#(granted)"#
        text += #","revoked":\#(room.revokedPasses.count),"per_minute":\#(Int(room.ratePerMinute.rounded()))"#
        text += #","outlook":"\#(room.outlook.rawValue)"},"order":\#(orderReport),"as_of":"\#(room.asOf.rfc3339)"}"#
        return text
    }

    /// How far the order is decided.
    private var orderReport: String {
        let order = snapshot.order
        func quoted(_ moment: Moment?) -> String { moment.map { "\"\($0.rfc3339)\"" } ?? "null" }
        let rounds = order.rounds.map { #"{"round":\#($0.round),"at":"\#($0.at.rfc3339)"}"# }.joined(separator: ",")
        var text = #"{"commitment":"\#(Hex.encode(order.commitment))","ranked_through":\#(order.rankedThrough)"#
        text += #","ties":\#(order.ties.count),"cohort":\#(order.cohort.map(String.init) ?? "null")"#
        text += #","sealed_at":\#(quoted(order.sealedAt)),"rounds":[\#(rounds)],"draw":\#(order.draw ?? "null")}"#
        return text
    }
}
