package import Queueing
package import Redis

/// Names of a room's keys; `{r:<room>}` keeps them together in a cluster.
package struct RoomKeys: Sendable {
    package static let rooms: RedisArgument = "{r:}:rooms"

    private let start: String

    package init(_ room: RoomName) {
        start = "{r:\(room.text)}:"
    }

    private func key(_ name: String) -> RedisArgument { .text(start + name) }

    package var meta: RedisArgument { key("meta") }
    package var grants: RedisArgument { key("grants") }
    package var log: RedisArgument { key("log") }
    package var ranks: RedisArgument { key("ranks") }
    package var ties: RedisArgument { key("ties") }
    package var moves: RedisArgument { key("moves") }
    package var claims: RedisArgument { key("claims") }
    package var left: RedisArgument { key("left") }
    package var changes: RedisArgument { key("changes") }
    package var checkpoints: RedisArgument { key("checkpoints") }

    // In the order in which `rooms.lua` lists them.
    var forPolicy: [RedisArgument] { [meta, grants, changes] }
    var forPhase: [RedisArgument] { [meta, changes, key("leader")] }
    var forOverride: [RedisArgument] { [meta, key("calls"), changes, key("extended")] }
    var forJoin: [RedisArgument] {
        [
            meta, key("tags"), log, key("passes"), key("active"), key("turned"), key("presence"), key("spent"),
            ranks, ties, key("extended"),
        ]
    }
    var forClaim: [RedisArgument] {
        [
            meta, key("calls"), key("claimed"), key("passes"), key("active"), key("turned"), grants, key("pace"),
            ranks, claims, key("extended"),
        ]
    }
    var forEnd: [RedisArgument] { [meta, key("active"), key("revoked"), grants] }
    var forLeave: [RedisArgument] { [key("tags"), key("passes"), key("turned"), meta, ranks, left] }
    var forRenewal: [RedisArgument] { [key("active"), grants, meta, key("revoked"), key("passes")] }
    var forPresence: [RedisArgument] { [key("presence")] }
    var forLead: [RedisArgument] {
        [
            meta, key("calls"), key("claimed"), key("active"), key("turned"), key("revoked"), key("presence"),
            key("leader"), key("extended"),
        ]
    }
    var forAdvance: [RedisArgument] {
        [meta, key("calls"), key("presence"), key("leader"), moves, key("extended")]
    }
    var forSnapshot: [RedisArgument] {
        [
            meta, key("calls"), key("active"), key("revoked"), key("turned"), ties, key("extended"), key("recovered"),
        ]
    }
    var forRestore: [RedisArgument] {
        [
            meta, key("tags"), log, key("passes"), key("active"), key("revoked"), key("turned"), key("calls"), claims,
            grants, key("recovered"), ties, changes, key("pace"), key("extended"), moves,
        ]
    }
    var forRestoreRecords: [RedisArgument] { [meta, moves, claims, left, key("passes"), changes, checkpoints] }
    var forRestoreLog: [RedisArgument] { [meta, key("tags"), log] }
    var forRank: [RedisArgument] { [meta, key("leader"), ranks, ties] }
    var forDraw: [RedisArgument] { [meta, key("leader"), changes] }
    var forCheckpoint: [RedisArgument] { [meta, key("leader"), checkpoints] }
    var forExtend: [RedisArgument] { [meta, key("calls"), key("passes"), ranks, key("extended")] }
    var forRecover: [RedisArgument] {
        [
            meta, key("tags"), key("recovered"), log, ranks, key("passes"), key("active"), key("turned"),
            key("extended"), key("revoked"), key("recoveries"),
        ]
    }
    var sharing: RedisArgument { key("sharing") }
    /// What was seen in a minute since 1970, and in the one before.
    func forSightings(minute: Int64) -> [RedisArgument] {
        [meta, key("active"), key("revoked"), grants, sharing, key("seen:\(minute)"), key("seen:\(minute - 1)")]
    }
}

/// The functions of `rooms.lua` and what follows it, by name.
package enum RoomFunctions {
    package static let library = RedisFunctionLibrary(
        name: "rooms",
        source: PackageResources.rooms_lua + PackageResources.rooms_order_lua + PackageResources.rooms_restore_lua
            + PackageResources.rooms_sharing_lua
    )

    static let create = library.function("create")
    static let updatePolicy = library.function("update_policy")
    static let setPhase = library.function("set_phase")
    static let setOverride = library.function("set_override")
    static let join = library.function("join")
    static let claim = library.function("claim")
    static let endPass = library.function("end_pass")
    static let leave = library.function("leave")
    static let renew = library.function("renew")
    static let present = library.function("present")
    static let lead = library.function("lead")
    static let advance = library.function("advance")
    static let snapshot = library.function("snapshot")
    static let rank = library.function("rank")
    static let nameRound = library.function("name_round")
    static let draw = library.function("draw")
    static let checkpoint = library.function("checkpoint")
    static let extend = library.function("extend")
    static let recover = library.function("recover")
    static let see = library.function("see")
    static let restore = library.function("restore")
    static let restoreLog = library.function("restore_log")
    static let restoreRecords = library.function("restore_records")
}

extension RedisArgument {
    init(_ number: UInt64) { self = .text(String(number)) }
    init(_ number: Int64) { self = .text(String(number)) }
}

extension RedisValue {
    var asUnsigned: UInt64? { asInteger.flatMap { UInt64(exactly: $0) } }
}

/// A reply of a function that has another shape than its head comment says.
struct UnreadableReply: Error, CustomStringConvertible {
    let function: String
    var description: String { "redis: \(function) answered something else than agreed" }
}
