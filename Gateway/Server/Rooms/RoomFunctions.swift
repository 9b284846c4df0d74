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

    // In the order in which `rooms.lua` lists them.
    var forPolicy: [RedisArgument] { [meta, grants] }
    var forOverride: [RedisArgument] { [meta, key("calls")] }
    var forJoin: [RedisArgument] {
        [
            meta, key("tags"), key("log"), key("passes"), key("active"), key("turned"), key("presence"), key("spent"),
        ]
    }
    var forClaim: [RedisArgument] {
        [
            meta, key("calls"), key("claimed"), key("passes"), key("active"), key("turned"), grants, key("pace"),
        ]
    }
    var forEnd: [RedisArgument] { [meta, key("active"), key("revoked"), grants] }
    var forLeave: [RedisArgument] { [key("tags"), key("passes"), key("turned")] }
    var forRenewal: [RedisArgument] { [key("active"), grants] }
    var forPresence: [RedisArgument] { [key("presence")] }
    var forLead: [RedisArgument] {
        [
            meta, key("calls"), key("claimed"), key("active"), key("turned"), key("revoked"), key("presence"),
            key("leader"),
        ]
    }
    var forAdvance: [RedisArgument] { [meta, key("calls"), key("presence"), key("leader")] }
    var forSnapshot: [RedisArgument] { [meta, key("calls"), key("active"), key("revoked"), key("turned")] }
}

/// The functions of `rooms.lua`, by name.
package enum RoomFunctions {
    package static let library = RedisFunctionLibrary(name: "rooms", source: PackageResources.rooms_lua)

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
