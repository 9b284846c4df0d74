import EdgeHTTP
import GatewayServer
import TestSupport
import Testing
import UsherAPI

struct SecureCookieTests {
    @Test func `behind TLS places and passes are cookies for TLS only, and those of the plain port count for nothing`()
        async throws
    {
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                try await node.open(try GatewayNode.policy())
                let device: EdgeHeaders = ["Usher-Device": GatewayNode.device(1)]
                let join = try await node.send(.post, Path.room("sale", "join"), device, isSecure: true)
                let set = try join.headers.first("set-cookie").orThrow()
                #expect(set.hasPrefix("__Host-usher-place-sale="))
                #expect(set.hasSuffix("; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax; Secure"))
                let token = try join.decoded(JoinReply.self).token

                let table: [(String, Bool, Int)] = [
                    ("__Host-usher-place-sale", true, 200), ("usher-place-sale", true, 401),
                    ("usher-place-sale", false, 200), ("__Host-usher-place-sale", false, 401),
                ]
                for (name, isSecure, status) in table {
                    let cookie: EdgeHeaders = ["Cookie": "\(name)=\(token)"]
                    let poll = try await node.send(.get, Path.room("sale", "place"), cookie, isSecure: isSecure)
                    #expect(poll.status == status, "\(name) \(isSecure)")
                }

                var claim = EdgeReply(status: 202)
                try await eventually {
                    claim = try await node.send(
                        .post,
                        Path.room("sale", "claim"),
                        ["Usher-Place": token],
                        isSecure: true
                    )
                    return claim.status != 202
                }
                #expect(claim.headers.first("set-cookie")?.hasPrefix("__Host-usher-pass-sale=") == true)

                let leave = try await node.send(
                    .post,
                    Path.room("sale", "leave"),
                    ["Usher-Place": token],
                    isSecure: true
                )
                #expect(leave.headers.all("set-cookie").allSatisfy { $0.hasPrefix("__Host-usher-p") })
                #expect(leave.headers.all("set-cookie").count == 2)
            }
        }
    }
}
