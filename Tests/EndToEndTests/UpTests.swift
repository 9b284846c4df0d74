import Foundation
import Glibc
import Testing

/// How `usher up` starts, refuses to start, comes back and stops.
@Suite(.serialized) struct UpTests {
    @Test func `it starts in a private folder with a long name and keeps its data over a restart`() async throws {
        let parent = FileManager.default.temporaryDirectory
            .appending(path: String(repeating: "n", count: 120)).path()
        try FileManager.default.createDirectory(
            atPath: parent,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        defer { try? FileManager.default.removeItem(atPath: parent) }
        try await RunningStack.with(inside: parent) { stack in
            let tour = try await Tour(stack)
            let first = try await tour.join().post("/v1/rooms/\(Tour.room)/claim")
            #expect([200, 202].contains(first.status), "\(first.json)")
            let second = try await stack.run("usher", ["up", "--serve"] + stack.options)
            #expect(second.status == 2)
            #expect(second.output.contains("is in use") || second.output.contains("another usher runs"))
            let elsewhere = stack.options.map { $0 == stack.data ? stack.data + "-other" : $0 }
            let taken = try await stack.run("usher", ["up", "--serve"] + elsewhere)
            #expect(taken.status == 2)
            #expect(taken.output.contains("port \(stack.gatewayPort) is in use"), "\(taken.output)")
        }
    }

    @Test func `with TLS it serves with a certificate of its own that nobody else can read`() async throws {
        try await RunningStack.with(hasTLS: true) { stack in
            let certificate = try stack.fact("certificate")
            let key = stack.data + "/tls/key.pem"
            let mode = try FileManager.default.attributesOfItem(atPath: key)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            for host in ["localhost", "127.0.0.1"] {
                let ask = [
                    "-sSf", "--cacert", certificate, "-o", "/dev/null",
                    "https://\(host):\(stack.tlsPort)/.well-known/jwks.json",
                ]
                #expect(try await stack.shell("curl", ask) == 0)
                // The same certificate, read again.
                _ = Glibc.kill(try stack.processID(of: "usher-gateway"), SIGHUP)
                #expect(try await stack.shell("curl", ask) == 0)
            }
            let log = try String(contentsOfFile: stack.folder + "/usher.log", encoding: .utf8)
            #expect(log.contains("https://localhost:\(stack.tlsPort)"))
        }
    }

    @Test func `a service that dies is started again and says so`() async throws {
        try await RunningStack.with { stack in
            for name in ["usher-booking", "usher-gateway", "usher-mock-payments", "redis", "postgresql"] {
                try await stack.killAndWaitForNext(name)
                let log = try String(contentsOfFile: stack.folder + "/usher.log", encoding: .utf8)
                #expect(log.contains("\(name) ended"), "\(name): \(log.suffix(500))")
            }
            let tour = try await Tour(stack)
            try await eventually("a purchase works after all of it", within: .seconds(60)) {
                guard let buyer = try? await tour.buyer() else { return false }
                return try await tour.hold(["MAIN-E-3"], by: buyer).status == 201
            }
        }
    }
}
