import EdgeHTTP
import NIOCore
import QueueTokens
import Queueing
import Redis
import TestSupport
import Testing
import UsherAPI

@testable import GatewayServer

/// A place of an account on another device.
struct RoomsRecoverTests {
    private static let path = Path.room("sale", "recover")

    private struct Accounts {
        let ring: KeyRing

        init(at nodes: GatewayNode...) throws {
            ring = try KeyRing.ephemeral(.account)
            for node in nodes { node.rooms.update { [ring] in $0.accountKeys = ring.keys } }
        }

        func bearer(_ user: String, age: Int64 = 0) throws -> EdgeHeaders {
            let now = WallClock.now().seconds - age
            let token = AccountToken(userID: user, role: "buyer", issuedAt: now, expiresAt: now + 900)
            return ["Authorization": "Bearer \(try ring.sign(token))"]
        }
    }

    private func poll(_ node: GatewayNode, _ token: String) async throws -> EdgeReply {
        try await node.send(.get, Path.room("sale", "place"), ["Usher-Place": token])
    }

    @Test func `attack 19: an account finds its place on another device, and the old token dies at every gateway`()
        async throws
    {
        try await withTemporaryRedis { server in
            let keys = try ephemeralKeys()
            try await withGateway(on: server, keys: keys, tick: nil) { one in
                try await withGateway(on: server, keys: keys, tick: nil) { two in
                    let accounts = try Accounts(at: one, two)
                    try await one.open(try GatewayNode.policy(identity: "account"))
                    try await two.sees { $0.phase == .active }
                    let first = try await one.send(.post, Path.room("sale", "join"), try accounts.bearer("usr_1"))
                    let old = try first.decoded(JoinReply.self)
                    _ = try await one.send(.post, Path.room("sale", "join"), try accounts.bearer("usr_2"))

                    let reply = try await two.send(.post, Self.path, try accounts.bearer("usr_1"))
                    #expect(reply.status == 200)
                    let fresh = try reply.decoded(JoinReply.self)
                    #expect(fresh.place.number == old.place.number && fresh.token != old.token)
                    #expect(reply.headers.first("set-cookie")?.hasPrefix("usher-place-sale=\(fresh.token);") == true)
                    for node in [one, two] {
                        try await node.sees { $0.recovered[1] != nil }
                        let dead = try await poll(node, old.token)
                        #expect(dead.status == 410)
                        #expect(try dead.problem() == .placeMoved)
                        #expect(try await poll(node, fresh.token).decoded(PlaceReply.self).place.number == 1)
                        for action in ["claim", "leave", "extend"] {
                            let path = Path.room("sale", action)
                            var headers = try accounts.bearer("usr_1")
                            headers.add("Usher-Place", old.token)
                            #expect(try await node.send(.post, path, headers).problem() == .placeMoved)
                        }
                    }
                    // The old device is the account's, too: it may join again and gets a token that is good.
                    let back = try await one.send(.post, Path.room("sale", "join"), try accounts.bearer("usr_1"))
                    #expect(back.status == 200)
                    #expect(try await poll(two, try back.decoded(JoinReply.self).token).status == 200)
                }
            }
        }
    }

    @Test func `only an account recovers, only its own place, and only in a room for accounts`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                let accounts = try Accounts(at: node)
                try await node.open(try GatewayNode.policy(identity: "account"))
                try await node.open(try GatewayNode.policy(), room: "devices")
                _ = try await node.send(.post, Path.room("sale", "join"), try accounts.bearer("usr_1"))
                let stranger = try Accounts(at: node)
                let cases: [(String, EdgeHeaders, ProblemCode)] = [
                    (Self.path, [:], .accountRequired),
                    (Self.path, ["Usher-Device": GatewayNode.device(1)], .accountRequired),
                    (Self.path, try accounts.bearer("usr_1"), .tokenInvalid),
                    (Self.path, try stranger.bearer("usr_9"), .notFound),
                    (Self.path, try stranger.bearer("usr_1", age: 901), .tokenExpired),
                    (Path.room("devices", "recover"), try stranger.bearer("usr_1"), .forbidden),
                    (Path.room("none", "recover"), try stranger.bearer("usr_1"), .notFound),
                ]
                for (path, headers, code) in cases {
                    #expect(try await node.send(.post, path, headers).problem() == code, "\(path) \(code)")
                }
                #expect(try await node.send(.get, Self.path).status == 405)
            }
        }
    }

    @Test func `recovering again is the same for a few seconds, and a place has only so many`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                let accounts = try Accounts(at: node)
                try await node.open(try GatewayNode.policy(identity: "account"))
                _ = try await node.send(.post, Path.room("sale", "join"), try accounts.bearer("usr_1"))
                for _ in 0..<10 {
                    let reply = try await node.send(.post, Self.path, try accounts.bearer("usr_1"))
                    let token = try reply.decoded(JoinReply.self).token
                    #expect(try await poll(node, token).status == 200)
                }
                #expect(try await node.redis.call(["STRLEN", "{r:sale}:recovered"]).asInteger == 16)
                _ = try await node.redis.call(["HSET", "{r:sale}:recoveries", "1", "1000:20"])
                let reply = try await node.send(.post, Self.path, try accounts.bearer("usr_1"))
                #expect(reply.status == 503)
                #expect(reply.headers.first("retry-after") != nil)
                #expect(try await node.redis.call(["STRLEN", "{r:sale}:recovered"]).asInteger == 16)
            }
        }
    }

    @Test func `who recovers a place has its pass, and the other device has not`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                let accounts = try Accounts(at: node)
                try await node.open(try GatewayNode.policy(identity: "account"))
                let joined = try await node.send(.post, Path.room("sale", "join"), try accounts.bearer("usr_1"))
                func pass(_ place: String) async throws -> ClaimReply.Pass {
                    var reply = EdgeReply(status: 202)
                    try await eventually {
                        var headers = try accounts.bearer("usr_1")
                        headers.add("Usher-Place", place)
                        reply = try await node.send(.post, Path.room("sale", "claim"), headers)
                        return reply.status != 202
                    }
                    return try reply.decoded(ClaimReply.self).pass
                }
                let old = try await pass(try joined.decoded(JoinReply.self).token)
                #expect(try await node.verdict(["Usher-Pass": old.token]) == .granted(id: old.id))
                let recovered = try await node.send(.post, Self.path, try accounts.bearer("usr_1"))
                try await node.sees { $0.passesGoodFrom[old.id] != nil }
                #expect(try await node.verdict(["Usher-Pass": old.token]) == .refused(.passStepUp))
                let fresh = try await pass(try recovered.decoded(JoinReply.self).token)
                #expect(fresh.id == old.id)
                #expect(try await node.verdict(["Usher-Pass": fresh.token]) == .granted(id: old.id))
            }
        }
    }
}
