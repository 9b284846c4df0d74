import EdgeHTTP
import EdgeReadings
import Foundation
import GatewayServer
import NIOCore
import Synchronization
import TestSupport
import Testing

/// Request smuggling and response splitting, over sockets, with an origin that records what reaches it.
struct AttackTests27 {
    @Test func `attack 27: nothing of the desync corpus reaches the shop unless it is plain`() async throws {
        guard let folder = DesyncCase.folder else {
            print("skipped: no corpora")
            return
        }
        for example in try DesyncCase.all(in: folder) {
            try await EdgeBench.with { edge in
                let client = try await edge.client()
                client.send(ByteBuffer(bytes: example.bytes))
                let isRefused: Bool? =
                    switch example.tier {
                    case "Severe", "Ambiguous": true
                    case "Compliant": DesyncCase.refusedOnPurpose[example.name] != nil
                    default: nil
                    }
                guard let isRefused else {
                    await client.close()
                    return
                }
                if isRefused {
                    let reply = try await client.reply(toHead: example.method == "HEAD")
                    #expect((400...505).contains(reply.status), "\(example)")
                    #expect(reply.first("connection") == "close", "\(example)")
                    try await eventually { client.isClosed }
                    #expect(edge.origin.connections == 0, "\(example)")
                } else {
                    // A request with a body waits for it: its head is what was accepted.
                    try await eventually { edge.origin.requests == 1 }
                }
                await client.close()
            }
        }
    }

    private static let next = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

    /// Each is followed by a request that only a server with another reading of the first would see.
    static let smugglings: [String] = [
        // CL.TE, TE.CL, TE.TE
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        // Malformed codings (SwiftNIO GHSA-mgc4-wqv7-4pxm and kin)
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: \u{B}chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding\r\n: chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "Transfer_Encoding: chunked\r\n\r\n0\r\n\r\n", "X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", " Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        // Lengths with two readings
        "Content-Length: 0\r\nContent-Length: 37\r\n\r\n", "Content-Length: 0, 37\r\n\r\n",
        "Content-Length: +0\r\n\r\n",
        "Content-Length: 0x25\r\n\r\n", "Content-Length:\r\n\r\n", "Content-Length: 18446744073709551616\r\n\r\n",
        "Content-Length: 3 7\r\n\r\n",
    ]

    @Test(arguments: smugglings)
    func `attack 27: a request with two readings is refused, and nothing behind it is read`(_ rest: String) async throws
    {
        try await EdgeBench.with { edge in
            let client = try await edge.client()
            client.send("POST /first HTTP/1.1\r\nHost: a\r\n\(rest)\(Self.next)")
            let reply = try await client.reply()
            #expect([400, 413, 501].contains(reply.status))
            #expect(reply.first("connection") == "close")
            try await eventually { client.isClosed }
            #expect(client.receivedBytes == 0)
            #expect(edge.origin.connections == 0)
        }
    }

    /// Bodies that are found to be malformed while they are on their way.
    static let bodies = [
        "0\r\nTransfer-Encoding: chunked\r\n\r\n", "1\nx\n0\n\n", "1;a=\"\r\n\"\r\nx\r\n0\r\n\r\n",
        "1\r\nxx\r\n0\r\n\r\n",
        "ffffffffffffffff1\r\nx\r\n0\r\n\r\n", "-1\r\nx\r\n0\r\n\r\n", "0x1\r\nx\r\n0\r\n\r\n", "1\r\nx0\r\n\r\n",
        "1;" + String(repeating: "a", count: 100) + "\r\nx\r\n0\r\n\r\n", "0\r\nContent-Length: 37\r\n\r\n", "0\n\n",
    ]

    @Test(arguments: bodies)
    func `attack 27: a chunked body with two readings ends both connections`(_ body: String) async throws {
        try await EdgeBench.with { edge in
            let client = try await edge.client()
            client.send("POST /first HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(body)\(Self.next)")
            try await eventually { client.isClosed }
            #expect(!client.text.contains(" 200 "))
            // What was begun is not gone on with: another request does not come behind it.
            let after = try await edge.echo("GET", "/after").connection
            #expect(edge.origin.arrivals.filter { $0.connection == after }.map(\.target) == ["/after"])
            #expect(edge.origin.arrivals.allSatisfy { $0.target == "/first" || $0.target == "/after" })
        }
    }

    @Test(arguments: [
        "/a?x=%0d%0aSet-Cookie:%20a=b", "/a?x=%0D%0A%0D%0AHTTP/1.1%20200%20OK",
        "/usher/rooms/summer/join?return=%0d%0aX:y",
    ])
    func `attack 27: nothing that a visitor writes becomes a line of a reply`(_ target: String) async throws {
        try await EdgeBench.with { edge in
            for method in ["GET", "POST"] {
                let reply = try await edge.ask(method, target, ["Accept: text/html"])
                #expect(reply.all("set-cookie").allSatisfy { !$0.hasPrefix("a=b") })
                #expect(reply.first("x") == nil)
            }
        }
    }

    @Test(arguments: ["%0d%0aSet-Cookie: a=b", "/a%0d%0aSet-Cookie:%20a=b", "/a\u{85}", "/%E2%80%A8", "/a%0aX: y"])
    func `attack 27: a page to go back to cannot split the redirection`(_ back: String) async throws {
        try await EdgeBench.with { edge in
            edge.rooms.state.withLock { $0.replies["join"] = EdgeReply(status: 201) }
            let reply = try await edge.ask(
                "POST",
                "/usher/rooms/summer/join",
                ["Content-Type: application/x-www-form-urlencoded", "Sec-Fetch-Site: same-origin"],
                body: "return=\(back)"
            )
            #expect(reply.all("set-cookie") == [])
            #expect(reply.first("x") == nil)
            #expect(reply.status != 303)
        }
    }
}
