import EdgeHTTP
import GatewayServer
import NIOCore
import Testing

struct ForwardedSenderTests {
    struct Row: Sendable {
        var client: String
        var peer: String
        var isTrusted = false
        var isSecure = false
        var host = "shop.example"
        var said: [(String, String)] = []
        var chain: String
        var proto = "http"
        var forwardedHost = "shop.example"
        var forwarded: String
    }

    static let rows: [Row] = [
        Row(
            client: "192.0.2.7",
            peer: "192.0.2.7",
            chain: "192.0.2.7",
            forwarded: "for=192.0.2.7;host=shop.example;proto=http"
        ),
        Row(
            client: "192.0.2.7",
            peer: "192.0.2.7",
            isSecure: true,
            host: "shop.example:8443",
            said: [
                ("X-Forwarded-For", "9.9.9.9"), ("X-Forwarded-Proto", "http"), ("X-Forwarded-Host", "evil"),
                ("Forwarded", "for=9.9.9.9"),
            ],
            chain: "192.0.2.7",
            proto: "https",
            forwardedHost: "shop.example:8443",
            forwarded: "for=192.0.2.7;host=\"shop.example:8443\";proto=https"
        ),
        Row(
            client: "2001:db8::1",
            peer: "2001:db8::1",
            host: "[2001:db8::2]:80",
            chain: "2001:db8::1",
            forwardedHost: "[2001:db8::2]:80",
            forwarded: "for=\"[2001:db8::1]\";host=\"[2001:db8::2]:80\";proto=http"
        ),
        // A proxy that is believed: what stands left of the client may be forged and goes no further.
        Row(
            client: "192.0.2.7",
            peer: "10.0.0.1",
            isTrusted: true,
            said: [
                ("X-Forwarded-For", "6.6.6.6, 192.0.2.7"), ("X-Forwarded-For", "10.0.0.2"),
                ("X-Forwarded-Proto", "HTTPS"), ("X-Forwarded-Host", "www.example:444"),
            ],
            chain: "192.0.2.7, 10.0.0.2, 10.0.0.1",
            proto: "https",
            forwardedHost: "www.example:444",
            forwarded: "for=192.0.2.7;host=\"www.example:444\";proto=https, for=10.0.0.2, for=10.0.0.1"
        ),
        Row(
            client: "10.0.0.1",
            peer: "10.0.0.1",
            isTrusted: true,
            said: [
                ("X-Forwarded-For", "not an address"), ("X-Forwarded-Proto", "gopher"), ("X-Forwarded-Host", "a\"b"),
            ],
            chain: "10.0.0.1",
            forwarded: "for=10.0.0.1;host=shop.example;proto=http"
        ),
        Row(
            client: "2001:db8::1",
            peer: "10.0.0.1",
            isTrusted: true,
            said: [("X-Forwarded-For", "2001:db8::1")],
            chain: "2001:db8::1, 10.0.0.1",
            forwarded: "for=\"[2001:db8::1]\";host=shop.example;proto=http, for=10.0.0.1"
        ),
    ]

    @Test(arguments: rows.indices)
    func `the service is told who asked, and believed are only proxies that may be`(_ index: Int) throws {
        let row = Self.rows[index]
        var head = EdgeRequestHead(method: .get, target: "/", host: row.host)
        var headers = EdgeHeaders()
        for (name, value) in row.said { headers.add(name, value) }
        head.headers = headers
        head.isSecure = row.isSecure
        let sender = ForwardedSender(
            client: try ClientAddress(row.client).orThrow(),
            peer: try ClientAddress(row.peer).orThrow(),
            isPeerTrusted: row.isTrusted
        )
        var bytes = ByteBuffer()
        sender.write(head, to: &bytes)
        #expect(
            String(buffer: bytes).split(separator: "\r\n") == [
                "Usher-Client-Address: \(row.client)", "X-Forwarded-For: \(row.chain)",
                "X-Forwarded-Proto: \(row.proto)", "X-Forwarded-Host: \(row.forwardedHost)",
                "Forwarded: \(row.forwarded)",
            ]
        )
    }
}
