import EdgeHTTP
import Foundation
import GatewayServer
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import Operations
import ServiceLifecycle
import TestSupport
import Testing
import UnixSignals

struct TLSTests {
    private static var quiet: Logger {
        var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .critical
        return logger
    }

    private static func shelf(_ certificate: TestCertificate) throws -> CertificateShelf {
        try CertificateShelf(
            certificateFile: certificate.certificateFile,
            keyFile: certificate.keyFile,
            metrics: MetricsRegistry(),
            logger: quiet
        )
    }

    private static func setup(_ certificate: TestCertificate) throws -> EdgeBench.Setup {
        var setup = EdgeBench.Setup()
        setup.listener.tls = TLSPort(port: 0, shelf: try shelf(certificate))
        return setup
    }

    private static func client(_ edge: EdgeBench, _ context: NIOSSLContext) async throws -> RawClient {
        try await RawClient.connect(to: edge.tlsPort, on: MultiThreadedLoops.group, tls: context)
    }

    private static let request = "GET /v1/shows HTTP/1.1\r\nHost: shop.example\r\n\r\n"

    @Test func `behind TLS are the same endpoints, and the shop hears of https`() async throws {
        try await TestCertificate.with { certificate in
            try await EdgeBench.with(try Self.setup(certificate), threads: 2) { edge in
                let client = try await Self.client(edge, try certificate.trust())
                for _ in 1...3 {
                    client.send(Self.request)
                    let reply = try await client.reply()
                    #expect(reply.status == 200)
                    #expect(reply.first("strict-transport-security") == nil)
                    let echo = try EdgeBench.echo(in: reply)
                    #expect(echo.all("x-forwarded-proto") == ["https"])
                }
                #expect(client.applicationProtocol == "http/1.1")
                await client.close()
                let plain = try await edge.echo("GET", "/v1/shows")
                #expect(plain.all("x-forwarded-proto") == ["http"])
            }
        }
    }

    @Test func `browsers are told to insist on TLS when it is set, and only behind TLS`() async throws {
        try await TestCertificate.with { certificate in
            var setup = try Self.setup(certificate)
            setup.listener.tls?.strictTransport = .seconds(3600)
            try await EdgeBench.with(setup) { edge in
                let client = try await Self.client(edge, try certificate.trust())
                for target in ["/v1/shows", "/usher/waiting.css", "/sessions/ses_a", "/internal/x"] {
                    client.send("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
                    #expect(try await client.reply().first("strict-transport-security") == "max-age=3600")
                }
                await client.close()
                #expect(try await edge.ask("GET", "/v1/shows").first("strict-transport-security") == nil)
            }
        }
    }

    @Test func `a page behind TLS sets its cookie for TLS only`() async throws {
        try await TestCertificate.with { certificate in
            try await EdgeBench.with(try Self.setup(certificate)) { edge in
                let client = try await Self.client(edge, try certificate.trust())
                client.send("GET /sessions/ses_a HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n")
                let reply = try await client.reply()
                #expect(reply.first("set-cookie")?.hasSuffix("; Secure") == true)
                await client.close()
                let plain = try await edge.ask("GET", "/sessions/ses_a", ["Accept: text/html"])
                #expect(plain.first("set-cookie")?.contains("Secure") == false)
            }
        }
    }

    @Test func `a large body goes through TLS both ways`() async throws {
        try await TestCertificate.with { certificate in
            try await EdgeBench.with(try Self.setup(certificate)) { edge in
                let client = try await Self.client(edge, try certificate.trust())
                let body = String(repeating: "b", count: 60_000)
                client.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body)
                let echo = try EdgeBench.echo(in: try await client.reply())
                #expect(echo.body.utf8.count == body.utf8.count)
                client.send("GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                #expect(try await client.reply().first("connection") == "close")
                try await eventually { client.isClosed }
            }
        }
    }

    @Test func `old versions of TLS and what is not TLS get no answer`() async throws {
        try await TestCertificate.with { certificate in
            try await EdgeBench.with(try Self.setup(certificate)) { edge in
                let old = try certificate.trust {
                    $0.minimumTLSVersion = .tlsv1
                    $0.maximumTLSVersion = .tlsv11
                }
                let weak = try certificate.trust {
                    $0.maximumTLSVersion = .tlsv12
                    $0.cipherSuites = "ECDHE-ECDSA-AES128-SHA"
                }
                for context in [old, weak] {
                    let client = try await Self.client(edge, context)
                    client.send(Self.request)
                    try await eventually { client.isClosed }
                    #expect(client.applicationProtocol == nil)
                }
                let plain = try await RawClient.connect(to: edge.tlsPort, on: MultiThreadedLoops.group)
                plain.send(Self.request)
                try await eventually { plain.isClosed }
                #expect(!plain.text.contains("HTTP/1.1 200"))
                #expect(edge.origin.requests == 0)
                let good = try certificate.trust { $0.maximumTLSVersion = .tlsv12 }
                let client = try await Self.client(edge, good)
                client.send(Self.request)
                #expect(try await client.reply().status == 200)
                await client.close()
            }
        }
    }

    @Test func `half handshakes are cut at their deadline, and good visitors come through`() async throws {
        try await TestCertificate.with { certificate in
            var setup = try Self.setup(certificate)
            setup.listener.tls?.handshakeTime = .milliseconds(300)
            setup.listener.connectionsPerAddressMax = 1000
            try await EdgeBench.with(setup) { edge in
                var halves: [RawClient] = []
                for number in 0..<200 {
                    let half = try await RawClient.connect(to: edge.tlsPort, on: MultiThreadedLoops.group)
                    // Nothing at all, or the head of a record that never comes.
                    if number % 2 == 0 { half.send(ByteBuffer(bytes: [0x16, 0x03, 0x01, 0x02, 0x00, 0x01])) }
                    halves.append(half)
                }
                let client = try await Self.client(edge, try certificate.trust())
                client.send(Self.request)
                #expect(try await client.reply().status == 200)
                try await eventually { halves.allSatisfy(\.isClosed) }
                #expect(!client.isClosed)
                await client.close()
                #expect(edge.registry.page().contains(#"tls_handshakes_cut_total{listener="visitors"} 200"#))
            }
        }
    }

    @Test func `who leaves without a goodbye is gone, before or after the reply that ends the connection`() async throws
    {
        try await TestCertificate.with { certificate in
            var setup = try Self.setup(certificate)
            setup.listener.connectionsPerAddressMax = 8
            try await EdgeBench.with(setup) { edge in
                let context = try certificate.trust()
                for number in 0..<60 {
                    let client = try await Self.client(edge, context)
                    let end = number % 2 == 0 ? "Connection: close\r\n" : ""
                    client.send("GET /a HTTP/1.1\r\nHost: a\r\n\(end)\r\n")
                    #expect(try await client.reply().status == 200)
                    // The gateway may have closed it already.
                    try? await client.leave()
                }
            }
        }
    }

    // MARK: Certificates

    @Test func `new handshakes take a new certificate, open connections go on, and a bad file changes nothing`()
        async throws
    {
        try await TestCertificate.with { certificate in
            let setup = try Self.setup(certificate)
            let shelf = try (setup.listener.tls?.shelf).orThrow()
            try await EdgeBench.with(setup) { edge in
                let trustsFirst = try certificate.trust()
                let early = try await Self.client(edge, trustsFirst)
                early.send(Self.request)
                #expect(try await early.reply().status == 200)

                try certificate.make(days: 60)
                #expect(shelf.reload())
                let trustsSecond = try certificate.trust()
                #expect(try await Self.answers(edge, trustsSecond))
                #expect(try await !Self.answers(edge, trustsFirst))
                early.send(Self.request)
                #expect(try await early.reply().status == 200)

                try Data("no certificate".utf8).write(to: URL(filePath: certificate.certificateFile))
                #expect(!shelf.reload())
                #expect(try await Self.answers(edge, trustsSecond))
                await early.close()
            }
        }
    }

    private static func answers(_ edge: EdgeBench, _ context: NIOSSLContext) async throws -> Bool {
        let client = try await client(edge, context)
        client.send(request)
        try await eventually { client.isClosed || client.receivedBytes > 0 }
        let isAnswered = client.receivedBytes > 0
        await client.close()
        return isAnswered
    }

    @Test func `SIGHUP reads the certificate again`() async throws {
        // Nothing ends this process should the signal be early.
        let caught = await UnixSignalsSequence(trapping: .sighup)
        try await TestCertificate.with { certificate in
            let shelf = try Self.shelf(certificate)
            let before = shelf.validUntil
            try certificate.make(days: 60)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await CertificateReloader(shelf: shelf, logger: Self.quiet).run() }
                try await eventually {
                    kill(getpid(), SIGHUP)
                    return shelf.validUntil > before
                }
                tasks.cancelAll()
            }
        }
        _ = caught
    }

    @Test func `files that cannot be used are named`() async throws {
        try await TestCertificate.with { certificate in
            let folder = certificate.folder
            func write(_ name: String, _ text: String) throws {
                try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)"))
            }
            try write("nonsense", "nonsense")
            try write("empty", "")
            try write("long", String(repeating: "x", count: 300_000))
            try TestCertificate.openssl(["genrsa", "-out", "\(folder)/other.key", "2048"])
            try TestCertificate.openssl([
                "ec", "-in", certificate.keyFile, "-aes256", "-passout", "pass:x", "-out", "\(folder)/locked.key",
            ])
            let good = certificate.certificateFile
            let table: [(String, String, CertificateFault)] = [
                ("\(folder)/none", certificate.keyFile, .missing(file: "\(folder)/none")),
                (good, "\(folder)/none", .missing(file: "\(folder)/none")),
                (folder, certificate.keyFile, .unreadable(file: folder)),
                ("\(folder)/long", certificate.keyFile, .unreadable(file: "\(folder)/long")),
                ("\(folder)/nonsense", certificate.keyFile, .noCertificate(file: "\(folder)/nonsense")),
                ("\(folder)/empty", certificate.keyFile, .noCertificate(file: "\(folder)/empty")),
                (certificate.keyFile, certificate.keyFile, .noCertificate(file: certificate.keyFile)),
                (good, "\(folder)/nonsense", .noKey(file: "\(folder)/nonsense")),
                (good, "\(folder)/locked.key", .noKey(file: "\(folder)/locked.key")),
                (good, "\(folder)/other.key", .mismatch(certificate: good, key: "\(folder)/other.key")),
            ]
            for (chain, key, fault) in table {
                #expect(throws: fault) { try ServerCertificate(certificateFile: chain, keyFile: key) }
            }
        }
    }

    @Test func `a certificate that is over, nearly over or not yet good is told of`() async throws {
        try await TestCertificate.with { certificate in
            let read = try ServerCertificate(
                certificateFile: certificate.certificateFile,
                keyFile: certificate.keyFile
            )
            let day: TimeInterval = 86_400
            let table: [(Date, String?)] = [
                (read.validFrom.addingTimeInterval(-1), "not valid before"), (read.validFrom, nil),
                (read.validUntil.addingTimeInterval(-15 * day), nil),
                (read.validUntil.addingTimeInterval(-13 * day), "expires on"), (read.validUntil, "expired on"),
            ]
            for (moment, words) in table {
                let warning = read.warning(at: moment)
                #expect(words.map { warning?.contains($0) == true } ?? (warning == nil))
            }
        }
    }

    // MARK: The plain port beside it

    @Test func `a plain port that redirects sends readers to TLS and refuses the rest`() async throws {
        try await TestCertificate.with { certificate in
            var setup = try Self.setup(certificate)
            setup.listener.plain = .redirect
            try await EdgeBench.with(setup) { edge in
                let moved = try await edge.ask("GET", "/sessions/ses_a?x=1")
                #expect(moved.status == 308)
                #expect(moved.first("location") == "https://shop.example:\(edge.tlsPort)/sessions/ses_a?x=1")
                let refused = try await edge.ask("POST", "/v1/rooms/summer/join", body: "{}")
                #expect(refused.status == 403)
                #expect(refused.body.contains(#""code":"tls_required""#))
                #expect(edge.origin.requests == 0)
            }
        }
    }

    @Test(arguments: [
        ("shop.example", 443, "https://shop.example/a"), ("shop.example:8080", 443, "https://shop.example/a"),
        ("[::1]:8080", 8443, "https://[::1]:8443/a"), ("[::1]", 8443, "https://[::1]:8443/a"),
        ("10.0.0.1:80", 8443, "https://10.0.0.1:8443/a"),
    ])
    func `a redirection keeps the name and takes the port of TLS`(
        _ host: String,
        _ port: Int,
        _ location: String
    ) throws {
        let head = EdgeRequestHead(method: .get, target: "/a", host: host)
        guard case .reply(let reply) = RedirectDesk(port: port).way(for: head, from: .unknown, id: .none) else {
            throw Missing()
        }
        #expect(reply.headers.first("location") == location)
    }
}
