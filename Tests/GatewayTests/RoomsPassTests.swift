import EdgeHTTP
import NIOCore
import NIOPosix
import QueueTokens
import Queueing
import Redis
import TestSupport
import Testing
import UsherAPI

@testable import GatewayServer

struct RoomsPassTests {
    private func pass(
        _ keys: GatewayKeys,
        room: String = "sale",
        id: String = "pass-1",
        generation: Int64 = 1,
        age: Int64 = 0,
        life: Int64 = 300
    ) throws -> String {
        let now = WallClock.now().seconds - age
        let token = PassToken(
            room: room,
            passID: id,
            subject: "somebody",
            place: 1,
            endsAt: now + max(life, 900),
            generation: generation,
            issuedAt: now,
            expiresAt: now + life
        )
        return try keys.passes.sign(token)
    }

    private func place(_ keys: GatewayKeys, room: String = "sale", generation: Int64 = 1, age: Int64 = 0) throws
        -> String
    {
        let now = WallClock.now().seconds - age
        let token = PlaceToken(
            room: room,
            subject: "somebody",
            place: 1,
            cohort: .live,
            generation: generation,
            policy: "hash",
            issuedAt: now,
            expiresAt: now + 600
        )
        return try keys.places.sign(token)
    }

    private func altered(_ token: String) -> String {
        var bytes = Array(token.utf8)
        let middle = bytes.count / 2
        bytes[middle] = bytes[middle] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func `each wrong pass gets the documented refusal`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy())
                let keys = node.keys
                let cases: [(String, EdgeHeaders, ProblemCode)] = [
                    ("none", [:], .passRequired),
                    ("empty", ["Usher-Pass": ""], .passRequired),
                    ("rubbish", ["Usher-Pass": "a.b.c"], .tokenInvalid),
                    ("altered", ["Usher-Pass": altered(try pass(keys))], .tokenInvalid),
                    ("other room", ["Usher-Pass": try pass(keys, room: "other")], .tokenInvalid),
                    ("a place", ["Usher-Pass": try place(keys)], .tokenInvalid),
                    ("foreign key", ["Usher-Pass": try pass(try ephemeralKeys())], .tokenInvalid),
                    ("expired", ["Usher-Pass": try pass(keys, age: 301)], .passExpired),
                    ("old generation", ["Usher-Pass": try pass(keys, generation: 0)], .passExpired),
                    ("other room's cookie", ["Cookie": "usher-pass-other=\(try pass(keys))"], .passRequired),
                ]
                for (name, headers, code) in cases {
                    #expect(try await node.verdict(headers) == .refused(code), "\(name)")
                }
                #expect(try await node.verdict(["Usher-Pass": try pass(keys)]) == .granted(id: "pass-1"))
                let cookie = "a=b; usher-pass-sale=\(try pass(keys)); c=d"
                #expect(try await node.verdict(["Cookie": cookie]) == .granted(id: "pass-1"))
            }
        }
    }

    @Test func `each wrong place gets 401`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy())
                let keys = node.keys
                let cases: [(String, EdgeHeaders, ProblemCode)] = [
                    ("none", [:], .unauthenticated),
                    ("rubbish", ["Usher-Place": "x"], .tokenInvalid),
                    ("altered", ["Usher-Place": altered(try place(keys))], .tokenInvalid),
                    ("other room", ["Usher-Place": try place(keys, room: "other")], .tokenInvalid),
                    ("a pass", ["Usher-Place": try pass(keys)], .tokenInvalid),
                    ("expired", ["Usher-Place": try place(keys, age: 601)], .tokenExpired),
                    ("other generation", ["Usher-Place": try place(keys, generation: 2)], .tokenInvalid),
                ]
                for (name, headers, code) in cases {
                    for (method, action) in [(EdgeMethod.get, "place"), (.post, "claim"), (.post, "leave")] {
                        let reply = try await node.send(method, "/v1/rooms/sale/\(action)", headers)
                        #expect(reply.status == 401, "\(name) at \(action)")
                        #expect(try reply.problem() == code, "\(name) at \(action)")
                    }
                }
                // A query is never believed.
                let query = try await node.send(.get, "/v1/rooms/sale/place?usher-place=\(try place(keys))")
                #expect(query.status == 401)
            }
        }
    }

    @Test(arguments: [
        ("/v1/sessions/@/seats", true), ("/v1/sessions/@/holds", true), ("/v1/sessions/@/orders", true),
        ("/v1/sessions/@/holds/hld_1", true), ("/sessions/@", true), ("/V1/Sessions/@/Seats", true),
        ("/v1//sessions/@/seats", true), ("/v1/sessions/%73es_01jc3k4m5n6p7q8r9stvwxyz01/seats", true),
        ("/v1/sessions/SES_01JC3K4M5N6P7Q8R9STVWXYZ01/holds", true), ("/v1/sessions/@", false), ("/v1/sessions", false),
        ("/v1/shows", false), ("/v1/orders/ord_1", false), ("/sessions/ses_01jc3k4m5n6p7q8r9stvwxyz02", false),
    ])
    func `a room protects the page, seats, holds and orders of its sessions`(path: String, isProtected: Bool)
        async throws
    {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy())
                let whole = path.replacing("@", with: GatewayNode.session)
                let verdict = try await node.verdict([:], path: whole)
                #expect(verdict == (isProtected ? .refused(.passRequired) : .open))
            }
        }
    }

    @Test func `an override lets everyone or no one through`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy())
                let name = try #require(RoomName("sale"))
                let good: EdgeHeaders = ["Usher-Pass": try pass(node.keys)]
                _ = try await node.store.setOverride(name, .passthrough)
                try await node.sees { $0.override == .passthrough }
                #expect(try await node.verdict([:]) == .open)
                _ = try await node.store.setOverride(name, .reject)
                try await node.sees { $0.override == .reject }
                #expect(try await node.verdict(good) == .refused(.roomClosed))
                let join = try await node.send(.post, "/v1/rooms/sale/join", ["Usher-Device": GatewayNode.device(1)])
                #expect(join.status == 409)
                _ = try await node.store.setOverride(name, .failOpen(until: WallClock.now() + .seconds(60)))
                try await eventually { try await node.verdict([:]) == .open }
                _ = try await node.store.setOverride(name, .failOpen(until: WallClock.now() + .milliseconds(50)))
                try await eventually { try await node.verdict([:]) == .refused(.passRequired) }
            }
        }
    }

    @Test func `a used pass is renewed, in the store first, and not before half of its idle time`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                try await node.open(try GatewayNode.policy(idle: 20, lifetime: 600))
                let place = try await node.join(device: 1).body.token
                let pass = try await node.passToken(place)
                let before = try node.keys.passes.verifyTag(ofPass: pass, room: "sale", at: WallClock.now().seconds)
                #expect(try await node.verdict(["Usher-Pass": pass]) == .granted(id: before.passID))
                // Of 300 seconds more than half are used.
                try await node.change(try GatewayNode.policy(idle: 300, lifetime: 600), version: 1)
                var renewed: String?
                try await eventually {
                    if case .renewed(_, let token) = try await node.verdict(["Usher-Pass": pass]) { renewed = token }
                    return renewed != nil
                }
                let token = try #require(renewed)
                let after = try node.keys.passes.verifyTag(ofPass: token, room: "sale", at: WallClock.now().seconds)
                #expect(after.passID == before.passID && after.endsAt == before.endsAt)
                #expect(after.expiresAt > before.expiresAt)
                let expiry = try await node.redis.call(["ZSCORE", "{r:sale}:active", .text(before.passID)]).asInteger
                #expect(expiry ?? 0 >= Int(after.expiresAt) * 1000)
                #expect(try await GrantsRecord(node).entries.map(\.kind).contains("renew"))
            }
        }
    }

    @Test func `a pass that nobody uses ends, and its place is used up`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                try await node.open(try GatewayNode.policy(idle: 1, lifetime: 60))
                let place = try await node.join(device: 1).body.token
                let pass = try await node.passToken(place)
                try await eventually { try await node.verdict(["Usher-Pass": pass]) == .refused(.passExpired) }
                try await eventually { try await node.claim(place).status == 410 }
                #expect(try await node.join(device: 1).body.place.number == 2)
            }
        }
    }

    @Test(arguments: ["complete", "revoke"])
    func `booking ends a pass, at once here and soon on every gateway`(command: String) async throws {
        try await withTemporaryRedis { server in
            let keys = try ephemeralKeys()
            try await withGateway(on: server, keys: keys) { one in
                try await one.open(try GatewayNode.policy())
                try await withGateway(on: server, keys: keys) { two in
                    try await two.sees { $0.phase == .active }
                    let place = try await one.join(device: 1).body.token
                    let token = try await one.passToken(place)
                    let claims = try keys.passes.verifyTag(ofPass: token, room: "sale", at: WallClock.now().seconds)
                    let headers: EdgeHeaders = ["Usher-Pass": token]
                    #expect(try await two.verdict(headers) == .granted(id: claims.passID))
                    try await one.command(command, pass: GrantedPass(room: "sale", id: claims.passID, token: token))
                    for node in [one, two] {
                        for _ in 0..<2 {
                            try await eventually { try await node.verdict(headers) == .refused(.passExpired) }
                        }
                    }
                    let record = try await GrantsRecord(one)
                    #expect(record.entries.map(\.kind) == ["grant", "end"])
                    try await one.sees { $0.livePasses == 0 }
                }
            }
        }
    }

    @Test func `booking extends a pass up to its cap, and the visitor gets it with the next request`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                try await node.open(try GatewayNode.policy(idle: 10, lifetime: 60))
                let token = try await node.passToken(try await node.join(device: 1).body.token)
                let now = WallClock.now().seconds
                let claims = try node.keys.passes.verifyTag(ofPass: token, room: "sale", at: now)
                let granted = GrantedPass(room: "sale", id: claims.passID, token: token)
                // On every loop, as the next request may come on any.
                for _ in 0..<2 { try await node.command("extend=3600", pass: granted) }
                var renewed: String?
                try await eventually {
                    if case .renewed(_, let token) = try await node.verdict(["Usher-Pass": token]) { renewed = token }
                    return renewed != nil
                }
                let after = try node.keys.passes.verifyTag(ofPass: try #require(renewed), room: "sale", at: now)
                #expect(after.expiresAt == claims.endsAt)
            }
        }
    }

    @Test(arguments: [
        "", "COMPLETE", "extend", "extend=", "extend=-1", "extend=0", "extend=86401", "extend=1;", "drop",
    ])
    func `a command that is none is passed over`(text: String) {
        #expect(PassCommand(text) == nil)
    }
}
