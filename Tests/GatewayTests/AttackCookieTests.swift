import EdgeHTTP
import Foundation
import QueueTokens
import Queueing
import TestSupport
import Testing
import UsherAPI

@testable import GatewayServer

/// Attacks 9 and 10: where tokens are looked for, and what else may stand there.
struct AttackCookieTests {
    @Test func `attack 9: a token in an address or a body opens nothing`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                try await node.open(try GatewayNode.policy())
                let place = try await node.join(device: 1).body.token
                let pass = try await node.passToken(place)
                for name in ["usher-place", "Usher-Place", "place", "token", "usher-place-sale", "access_token"] {
                    for (method, action) in [
                        (EdgeMethod.get, "place"), (.post, "claim"), (.post, "leave"), (.post, "extend"),
                    ] {
                        let path = Path.room("sale", action) + "?\(name)=\(place)"
                        let reply = try await node.send(method, path, body: method == .post ? "\(name)=\(place)" : "")
                        #expect(reply.status == 401, "\(name) at \(action)")
                    }
                }
                for name in ["usher-pass", "pass", "token", "usher-pass-sale"] {
                    let path = "/v1/sessions/\(GatewayNode.session)/seats?\(name)=\(pass)"
                    #expect(try await node.verdict([:], path: path) == .refused(.passRequired))
                }
                let fragment = "/v1/sessions/\(GatewayNode.session)/seats"
                #expect(
                    try await node.verdict(["Referer": "https://a.example/?pass=\(pass)"], path: fragment)
                        == .refused(.passRequired)
                )
            }
        }
    }

    @Test func `attack 10: the place is found among any other cookies, and nothing else is taken for it`() async throws
    {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy())
                let place = try await node.join(device: 1).body.token
                let name = "usher-place-sale"
                let many = (0..<200).map { "cookie-number-\($0)=\(String(repeating: "v", count: 24))" }
                    .joined(separator: "; ")
                let table: [(String, String, Int)] = [
                    ("alone", "\(name)=\(place)", 200), ("last", "a=b; c=d; \(name)=\(place)", 200),
                    ("first", "\(name)=\(place); a=b", 200), ("no spaces", "a=b;\(name)=\(place);c=d", 200),
                    ("= in a value", "a=b=c==; \(name)=\(place)", 200), ("empty pairs", ";; ;\(name)=\(place);", 200),
                    ("eight kibibytes", "\(many); \(name)=\(place)", 200), ("no value", "\(name)=", 401),
                    ("absent", "a=b; usher-pass-sale=\(place)", 401), ("no pair", name, 401),
                    ("another case", "Usher-Place-Sale=\(place)", 401), ("longer name", "x\(name)=\(place)", 401),
                    ("in another's value", "a=\(name)=\(place)", 401), ("quoted", "\(name)=\"\(place)\"", 401),
                    ("another room's", "usher-place-sale2=\(place)", 401),
                    // One of two counts, the first: a second one is neither mixed in nor preferred.
                    ("tossed behind", "\(name)=\(place); \(name)=rubbish", 200),
                    ("tossed before", "\(name)=rubbish; \(name)=\(place)", 401),
                ]
                for (what, cookie, status) in table {
                    let reply = try await node.send(.get, Path.room("sale", "place"), ["Cookie": cookie])
                    #expect(reply.status == status, "\(what)")
                }
                // Behind TLS a sibling domain cannot set the name at all.
                let joined = try await node.send(
                    .post,
                    Path.room("sale", "join"),
                    ["Usher-Device": GatewayNode.device(1)],
                    isSecure: true
                )
                let secure = try joined.decoded(JoinReply.self).token
                let tossed = "\(name)=rubbish; __Host-\(name)=\(secure); \(name)=\(place)"
                let reply = try await node.send(.get, Path.room("sale", "place"), ["Cookie": tossed], isSecure: true)
                #expect(reply.status == 200)
            }
        }
    }

    @Test func `attack 11: a key that was removed opens nothing, and one room's token opens no other`() async throws {
        try await withTemporaryRedis { server in
            let old = try ephemeralKeys()
            try await withGateway(on: server, keys: old, tick: nil) { node in
                try await node.open(try GatewayNode.policy())
                try await node.open(try GatewayNode.policy(), room: "other")
                let joined = try await node.join(device: 1).body.token
                let elsewhere = try await node.send(.get, Path.room("other", "place"), ["Usher-Place": joined])
                #expect(try elsewhere.problem() == .tokenInvalid)
            }
            let kept = try await withGateway(on: server, keys: old, tick: nil) { node in
                try await node.sees { $0.phase == .active }
                return try await node.join(device: 1).body.token
            }
            try await withGateway(on: server, keys: try ephemeralKeys(), tick: nil) { node in
                try await node.sees { $0.phase == .active }
                let reply = try await node.send(.get, Path.room("sale", "place"), ["Usher-Place": kept])
                #expect(try reply.problem() == .tokenInvalid)
                // The place is there for its device all the same.
                #expect(try await node.join(device: 1).body.place.number == 1)
            }
        }
    }
}
