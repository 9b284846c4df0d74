import EdgeHTTP
import Foundation
import GatewayServer
import NIOCore
import Synchronization
import TestSupport
import Testing
import UsherAPI

struct ProxyTests {
    @Test func `what a visitor says about Usher, proxies or the connection does not reach the shop`() async throws {
        try await EdgeBench.with { edge in
            let echo = try await edge.echo(
                "GET",
                "/v1/shows?a=b",
                [
                    "Usher-Pass: forged", "Usher-Client-Address: 9.9.9.9", "usher-request-id: mine", "Usher-Command: x",
                    "Usher-Anything: y", "X-Forwarded-For: 8.8.8.8", "X-Forwarded-Proto: https",
                    "Forwarded: for=7.7.7.7",
                    "X-Real-IP: 6.6.6.6", "Connection: keep-alive, X-Named", "X-Named: z", "TE: trailers",
                    "Upgrade: h2c", "Proxy-Authorization: q", "Keep-Alive: 5", "X-Mine: kept",
                    "Authorization: Bearer t",
                    "Cookie: usher-device=d; usher-place-summer=p; a=b; __Host-usher-pass-summer=q; usher-pass-x=r",
                ]
            )
            #expect(echo.method == "GET")
            #expect(echo.target == "/v1/shows?a=b")
            #expect(echo.all("usher-pass") == [])
            #expect(echo.all("usher-client-address") == ["127.0.0.1"])
            #expect(echo.all("x-forwarded-for") == ["127.0.0.1"])
            #expect(echo.all("x-forwarded-proto") == ["http"])
            #expect(echo.all("x-forwarded-host") == ["shop.example"])
            #expect(echo.all("forwarded") == ["for=127.0.0.1;host=shop.example;proto=http"])
            #expect(echo.all("host") == ["127.0.0.1:\(edge.origin.port)"])
            #expect(echo.all("usher-request-id").count == 1)
            #expect(echo.all("usher-request-id").first?.hasPrefix("req_") == true)
            for gone in [
                "usher-command", "usher-anything", "x-real-ip", "connection", "x-named", "te", "upgrade",
                "proxy-authorization", "keep-alive", "content-length", "transfer-encoding",
            ] {
                #expect(echo.all(gone) == [], "\(gone)")
            }
            #expect(echo.all("x-mine") == ["kept"])
            #expect(echo.all("authorization") == ["Bearer t"])
            #expect(echo.all("cookie") == ["usher-device=d; a=b"])
        }
    }

    @Test func `a pass goes on as a header, a reply comes back without what was not for the visitor`() async throws {
        try await EdgeBench.with { edge in
            for credential in ["Usher-Pass: good", "Cookie: x=y; usher-pass-summer=good"] {
                let reply = try await edge.ask("GET", "/v1/sessions/ses_a/seats", [credential])
                #expect(reply.status == 200)
                #expect(try EdgeBench.echo(in: reply).all("usher-pass") == ["good"])
                #expect(reply.first("usher-forged") == nil)
                #expect(reply.first("x-hop") == nil)
                #expect(reply.all("content-length").count == 1)
                #expect(reply.first("usher-request-id")?.hasPrefix("req_") == true)
            }
        }
    }

    @Test func `a pass that is due is renewed as header and cookie`() async throws {
        try await EdgeBench.with { edge in
            let reply = try await edge.ask("GET", "/v1/sessions/ses_a/seats", ["Usher-Pass: old"])
            #expect(reply.status == 200)
            #expect(try EdgeBench.echo(in: reply).all("usher-pass") == ["old"])
            #expect(reply.all("usher-pass") == ["fresh"])
            #expect(reply.all("set-cookie") == ["usher-pass-summer=fresh; Path=/"])
            #expect(reply.first("cache-control") == "no-store")
        }
    }

    @Test(arguments: ["complete", "revoke", "extend=60"])
    func `a command of the shop is carried out and not shown`(_ command: String) async throws {
        try await EdgeBench.with { edge in
            let target = "/v1/sessions/ses_a/orders?command=\(command)"
            let reply = try await edge.ask("POST", target, ["Usher-Pass: good"], body: "{}")
            #expect(reply.status == 200)
            #expect(reply.first("usher-command") == nil)
            #expect(edge.rooms.state.withLock { $0.commands } == ["p1 \(command)"])
            _ = try await edge.ask("GET", "/open?command=complete")
            #expect(edge.rooms.state.withLock { $0.commands.count } == 1)
        }
    }

    @Test func `the framing is written again, exactly once`() async throws {
        try await EdgeBench.with { edge in
            let sized = try await edge.echo("POST", "/a", [], body: "hello")
            #expect(sized.all("content-length") == ["5"])
            #expect(sized.all("transfer-encoding") == [])
            #expect(sized.body == "hello")
            let empty = try await edge.echo("POST", "/a")
            #expect(empty.all("content-length") == ["0"])
            #expect(empty.all("transfer-encoding") == [])
            let client = try await edge.client()
            client.send(
                "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n2\r\nde\r\n0\r\nX-T: y\r\n\r\n"
            )
            let chunked = try EdgeBench.echo(in: try await client.reply())
            #expect(chunked.all("transfer-encoding") == ["chunked"])
            #expect(chunked.all("content-length") == [])
            #expect(chunked.all("x-t") == [])
            #expect(chunked.body == "abcde")
            await client.close()
        }
    }

    @Test func `connections to the shop are kept, and one that died in the pool costs nothing`() async throws {
        try await EdgeBench.with { edge in
            let first = try await edge.echo("GET", "/1")
            let second = try await edge.echo("GET", "/2")
            #expect(first.connection == second.connection)
            for number in 1...5 {
                let reply = try await edge.ask("GET", "/\(number)?hangup")
                #expect(reply.status == 200)
            }
            #expect(try await edge.ask("GET", "/last").status == 200)
        }
    }

    @Test func `HEAD has the length and no body, and 100-continue is answered here`() async throws {
        try await EdgeBench.with { edge in
            let head = try await edge.ask("HEAD", "/a")
            #expect(head.status == 200)
            #expect(head.first("content-length").flatMap(Int.init).map { $0 > 50 } == true)
            let client = try await edge.client()
            client.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
            #expect(try await client.reply().status == 100)
            client.send("abc")
            let echo = try EdgeBench.echo(in: try await client.reply())
            #expect(echo.body == "abc")
            #expect(echo.all("expect") == [])
            await client.close()
        }
    }

    @Test(arguments: [
        "/internal/v1/sessions/x/admission", "/INTERNAL/x", "/internal", "/v1/admin/shows", "/v1/Admin",
        "/admin/v1/rooms",
        "/healthz", "/readyz", "/metrics", "/metrics/", "/usher/nothing",
    ])
    func `what is not for visitors is not found`(_ target: String) async throws {
        try await EdgeBench.with { edge in
            let reply = try await edge.ask("GET", target)
            #expect(reply.status == 404)
            #expect(reply.body.contains(#""code":"not_found""#))
            #expect(edge.origin.requests == 0)
        }
    }

    @Test func `pipelined requests are answered in order, whoever answers`() async throws {
        try await EdgeBench.with { edge in
            let client = try await edge.client()
            let targets = ["/a", "/healthz", "/b?stream=1", "/metrics", "/c"]
            client.send(targets.map { "GET \($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
            var statuses: [Int] = []
            for _ in targets { statuses.append(try await client.reply().status) }
            #expect(statuses == [200, 404, 200, 404, 200])
            #expect(!client.isClosed)
            await client.close()
        }
    }

    @Test func `a head of several reads is answered, and so are more requests than fit in one`() async throws {
        try await EdgeBench.with { edge in
            let client = try await edge.client()
            let long = String(repeating: "c", count: 7000)
            client.send("GET /long HTTP/1.1\r\nHost: a\r\nX-One: \(long)\r\nX-Two: \(long)\r\n\r\n")
            #expect(try EdgeBench.echo(in: try await client.reply()).all("x-two") == [long])
            client.send(String(repeating: "GET /many HTTP/1.1\r\nHost: a\r\n\r\n", count: 200))
            for _ in 0..<200 { #expect(try await client.reply().status == 200) }
            client.send("GET /pieces HTT")
            client.send("P/1.1\r\nHost: a\r\n")
            client.send("\r\n")
            #expect(try await client.reply().status == 200)
            await client.close()
        }
    }

    @Test func `a malformed request gets a problem and reaches nobody`() async throws {
        try await EdgeBench.with { edge in
            let client = try await edge.client()
            client.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc")
            let reply = try await client.reply()
            #expect(reply.status == 400)
            #expect(reply.first("content-type") == "application/problem+json")
            #expect(reply.first("connection") == "close")
            #expect(reply.body.contains(#""code":"bad_request""#))
            try await eventually { client.isClosed }
            #expect(edge.origin.requests == 0)
        }
    }
}
