import EdgeHTTP
import GatewayServer
import NIOCore
import Synchronization
import TestSupport
import Testing
import UsherAPI

/// Caches between visitor and gateway: what is one visitor's is kept by none, and what is everybody's has nobody's name.
struct AttackTests31 {
    private static func cacheControl(_ reply: EdgeReply) -> String? { reply.headers.first("Cache-Control") }

    @Test func `attack 31: every answer of a room to one visitor forbids keeping it`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                try await node.open(try GatewayNode.policy())
                let joined = try await node.join(device: 1)
                let again = try await node.join(device: 1)
                let place: EdgeHeaders = ["Usher-Place": joined.body.token]
                let polled = try await node.send(.get, Path.room("sale", "place"), place)
                // Their heads were written before: what counts is what goes out.
                try await EdgeBench.with { edge in
                    for (reply, method, action) in [
                        (joined.reply, "POST", "join"), (again.reply, "POST", "join"), (polled, "GET", "place"),
                    ] {
                        edge.rooms.state.withLock { $0.replies[action] = reply }
                        let sent = try await edge.ask(method, "/v1/rooms/summer/\(action)")
                        #expect(sent.status < 300)
                        #expect(sent.all("cache-control") == ["no-store"], "\(action)")
                    }
                }
                let claimed = try await node.claimInTheEnd(joined.body.token)
                #expect(claimed.status == 200)
                #expect(Self.cacheControl(claimed) == "no-store")
                let left = try await node.send(.post, Path.room("sale", "leave"), place)
                #expect(Self.cacheControl(left) == "no-store")
                for (method, path) in [
                    (EdgeMethod.get, "/v1/rooms/sale/place"), (.post, "/v1/rooms/sale/join"),
                    (.post, "/v1/rooms/sale/claim"), (.get, "/v1/rooms/other/place"), (.get, "/v1/rooms/sale/nothing"),
                    (.get, "/v1/rooms/sale/join"),
                ] {
                    let refused = try await node.send(method, path)
                    #expect(refused.status >= 400, "\(path)")
                    #expect(Self.cacheControl(refused) == "no-store", "\(path)")
                }
            }
        }
    }

    @Test func `attack 31: what may be kept is the same for everybody and sets nothing`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy())
                let token = try await node.join(device: 1).body.token
                let somebody: EdgeHeaders = [
                    "Usher-Place": token, "Cookie": "usher-place-sale=\(token); usher-device=\(GatewayNode.device(1))",
                    "Authorization": "Bearer x", "Origin": "http://other.example",
                ]
                for path in ["/v1/rooms/sale/snapshot", "/.well-known/jwks.json"] {
                    for headers in [[:], somebody] {
                        let reply = try await node.send(.get, path, headers)
                        #expect(reply.status == 200, "\(path)")
                        #expect(Self.cacheControl(reply)?.hasPrefix("public, max-age=") == true, "\(path)")
                        #expect(!reply.headers.contains("Set-Cookie"), "\(path)")
                        #expect(!String(buffer: reply.body).contains(token), "\(path)")
                    }
                }
                let plain = try await node.send(.get, "/v1/rooms/sale/snapshot")
                let tag = try plain.headers.first("ETag").orThrow()
                let same = try await node.send(.get, "/v1/rooms/sale/snapshot", ["If-None-Match": tag])
                #expect(same.status == 200 || !same.headers.contains("Set-Cookie"))
                #expect(same.status == 200 || same.body.readableBytes == 0)
            }
        }
    }

    @Test func `attack 31: the waiting page, refusals and renewed passes are kept by nobody`() async throws {
        try await EdgeBench.with { edge in
            let page = try await edge.ask("GET", "/sessions/ses_a", ["Accept: text/html"])
            #expect(page.status == 200)
            #expect(page.all("set-cookie").count == 1)
            #expect(page.all("cache-control") == ["no-store"])
            #expect(page.first("vary") == "Accept, Cookie")
            let problem = try await edge.ask("GET", "/sessions/ses_a", ["Accept: application/json"])
            #expect(problem.status == 403)
            #expect(problem.all("cache-control") == ["no-store"])
            #expect(problem.first("vary")?.contains("Accept") == true)
            let renewed = try await edge.ask("GET", "/v1/sessions/ses_a/seats", ["Usher-Pass: old"])
            #expect(renewed.all("set-cookie").count == 1)
            #expect(renewed.all("cache-control") == ["no-store"])
            for target in ["/nothing?close", "/metrics", "/usher/nothing"] {
                let failed = try await edge.ask("GET", target)
                #expect(failed.status >= 400, "\(target)")
                #expect(failed.all("cache-control") == ["no-store"], "\(target)")
            }
        }
    }

    @Test func `attack 31: the page's files are public and set no cookie, whoever asks`() async throws {
        try await EdgeBench.with { edge in
            for name in ["waiting.js", "waiting.css"] {
                let reply = try await edge.ask("GET", "/usher/\(name)", ["Cookie: usher-device=d", "Usher-Place: p"])
                #expect(reply.status == 200)
                #expect(reply.first("cache-control")?.hasPrefix("public") == true)
                #expect(reply.all("set-cookie") == [])
            }
        }
    }
}
