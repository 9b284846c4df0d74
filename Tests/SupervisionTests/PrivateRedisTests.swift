import Foundation
import Supervision
import Testing

@Suite struct PrivateRedisTests {
    @Test func `a private Redis starts once, stops, and starts again in the same place`() async throws {
        try await withServer { server in
            try await server.start()
            let first = await server.processID
            try await server.start()
            #expect(await server.processID == first)
            await server.stop()
            #expect(await server.exit == .status(0))
            try await server.start()
            #expect(await server.isRunning)
            await server.kill()
            #expect(await server.exit == .signal(SIGKILL))
            // A killed server leaves its socket file behind; that must not stand in the way.
            try await server.start()
            #expect(await server.isRunning)
        }
    }

    @Test func `a second server does not take the socket of a running one`() async throws {
        try await withServer { server in
            try await server.start()
            let second = PrivateRedis(
                layout: PrivateRedis.Layout(
                    dataFolder: server.layout.dataFolder + "/second",
                    socketFolder: server.layout.socketFolder
                )
            )
            let failure = await failure { try await second.start() }
            #expect(failure.contains("another server answers at"))
            #expect(await server.isRunning)
        }
    }

    @Test func `a socket path that is too long is refused by name`() async throws {
        let folder = "/tmp/" + String(repeating: "x", count: 100)
        let server = PrivateRedis(layout: PrivateRedis.Layout(dataFolder: folder, socketFolder: folder))
        let failure = await failure { try await server.start() }
        #expect(failure.contains("longer than 107 bytes"))
        #expect(!FileManager.default.fileExists(atPath: folder))
    }

    @Test func `a server that ends at once is told with its log`() async throws {
        try await withServer(extraArguments: ["--no-such-option", "1"]) { server in
            let failure = await failure { try await server.start() }
            #expect(failure.contains("redis-server cannot be started: exit status 1; see \(server.layout.logFile)"))
        }
    }

    @Test func `only programs that can be run are found`() {
        #expect(ProgramPath.find("sh")?.hasSuffix("/sh") == true)
        #expect(ProgramPath.find("usher-no-such-program") == nil)
        let missing = SupervisionFailure.missing(program: "redis-server", install: "redis-server")
        #expect("\(missing)" == "redis-server is not installed (apt-get install redis-server)")
    }

    private func withServer(
        extraArguments: [String] = [],
        _ body: (PrivateRedis) async throws -> Void
    ) async throws {
        let folder = "/tmp/usher-private-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        let server = PrivateRedis(
            layout: PrivateRedis.Layout(dataFolder: folder, socketFolder: folder, extraArguments: extraArguments),
            deathSignal: .kill
        )
        defer { try? FileManager.default.removeItem(atPath: folder) }
        do {
            try await body(server)
        } catch {
            await server.kill()
            throw error
        }
        await server.kill()
    }

    private func failure(_ call: () async throws -> Void) async -> String {
        do {
            try await call()
            return "no failure"
        } catch {
            return "\(error)"
        }
    }
}
