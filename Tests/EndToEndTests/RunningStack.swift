import AsyncHTTPClient
import Foundation
import Glibc
import NIOCore
import NIOHTTP1
import Supervision
import Testing

/// A whole Usher, started by `usher up` in a temporary folder on free ports, stopped when the test ends.
struct RunningStack: Sendable {
    let folder: String
    let gatewayPort: Int
    let adminPort: Int
    let bookingPort: Int
    let operationsPort: Int
    let paymentsPort: Int
    let tlsPort: Int
    var hasTLS = false

    static let startLimit = Duration.seconds(90)

    var gateway: String { "http://127.0.0.1:\(gatewayPort)" }
    var admin: String { "http://127.0.0.1:\(adminPort)" }
    var data: String { folder + "/data" }

    /// Runs `body` against a fresh stack and stops it, whatever happens.
    static func with(
        environment: [String: String] = [:],
        inside parent: String? = nil,
        hasTLS: Bool = false,
        options: [String] = [],
        _ body: (RunningStack) async throws -> Void
    ) async throws {
        let temporary = URL(filePath: parent ?? FileManager.default.temporaryDirectory.path())
        let folder = temporary.appending(path: "usher-e2e-\(UUID().uuidString)").path()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let ports = freePorts(6)
        let stack = RunningStack(
            folder: folder,
            gatewayPort: ports[0],
            adminPort: ports[1],
            bookingPort: ports[2],
            operationsPort: ports[3],
            paymentsPort: ports[4],
            tlsPort: ports[5],
            hasTLS: hasTLS
        )
        let usher = try ChildProcess.start(
            .init(
                executable: program("usher"),
                arguments: ["up", "--serve"] + stack.options + options,
                environment: environment,
                workingDirectory: folder,
                logFile: folder + "/usher.log"
            )
        )
        do {
            try await stack.waitUntilUp(usher)
            try await body(stack)
        } catch {
            await usher.stop(grace: .seconds(60))
            stack.showLogs()
            throw error
        }
        let exit = await usher.stop(grace: .seconds(60))
        #expect(exit == .status(0), "usher up must stop cleanly")
        try? FileManager.default.removeItem(atPath: folder)
    }

    var options: [String] {
        [
            "--data", data, "--pages", Self.root + "/Gateway/Pages", "--gateway-port", "\(gatewayPort)", "--admin-port",
            "\(adminPort)", "--booking-port", "\(bookingPort)", "--booking-operations-port", "\(operationsPort)",
            "--payments-port", "\(paymentsPort)",
        ] + (hasTLS ? ["--tls", "--tls-port", "\(tlsPort)"] : [])
    }

    private func waitUntilUp(_ usher: ChildProcess) async throws {
        let deadline = ContinuousClock.now + Self.startLimit
        while ContinuousClock.now < deadline {
            if let exit = usher.exit { throw StackFault("usher up ended with \(exit)") }
            let log = (try? String(contentsOfFile: folder + "/usher.log", encoding: .utf8)) ?? ""
            if log.contains("Usher is up.") { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw StackFault("usher up was not up in \(Self.startLimit)")
    }

    /// The end of each log, so that a failure in CI can be understood.
    private func showLogs() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: data + "/logs")) ?? []
        for path in [folder + "/usher.log"] + names.map({ data + "/logs/" + $0 }) {
            guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { continue }
            print("--- \(path)\n\(text.suffix(2500))")
        }
    }

    // MARK: processes

    /// Process ids as `usher up` wrote them.
    func processID(of name: String) throws -> pid_t {
        let bytes = try Data(contentsOf: URL(filePath: data + "/run.json"))
        let facts = try JSONSerialization.jsonObject(with: bytes) as? [String: Any]
        guard let processes = facts?["processes"] as? [String: Int], let id = processes[name] else {
            throw StackFault("run.json names no process \(name)")
        }
        return pid_t(id)
    }

    /// A text of the file that tells what runs where.
    func fact(_ name: String) throws -> String {
        let bytes = try Data(contentsOf: URL(filePath: data + "/run.json"))
        let facts = try JSONSerialization.jsonObject(with: bytes) as? [String: Any]
        guard let text = facts?[name] as? String else { throw StackFault("run.json names no \(name)") }
        return text
    }

    /// Runs a program of the system; its exit status.
    func shell(_ program: String, _ arguments: [String]) async throws -> Int32 {
        let child = try ChildProcess.start(.init(executable: program, arguments: arguments))
        guard case .status(let status) = await child.waitForExit(atMost: .seconds(20)) else {
            throw StackFault("\(program) did not end by itself")
        }
        return status
    }

    /// Kills a process at once and waits until another one has taken its place.
    func killAndWaitForNext(_ name: String) async throws {
        let old = try processID(of: name)
        _ = Glibc.kill(old, SIGKILL)
        try await eventually("\(name) is started again", within: .seconds(60)) {
            (try? processID(of: name)).map { $0 != old } ?? false
        }
    }

    /// Runs one of Usher's programs; its exit status and what it printed.
    func run(_ name: String, _ arguments: [String], atMost limit: Duration = .seconds(300)) async throws -> (
        status: Int32, output: String
    ) {
        let log = folder + "/\(name)-\(UUID().uuidString.prefix(8)).log"
        let child = try ChildProcess.start(
            .init(executable: Self.program(name), arguments: arguments, logFile: log)
        )
        let exit = await child.waitForExit(atMost: limit)
        if exit == nil { await child.stop(grace: .seconds(1)) }
        let output = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        guard case .status(let status) = exit else {
            throw StackFault("\(name) ended with \(exit?.description ?? "no end in \(limit)"): \(output.suffix(1500))")
        }
        return (status, output)
    }

    /// Every invariant holds once things have settled.
    func expectCheckIsClean(settle seconds: Int = 30) async throws {
        let check = try await run("usher", ["check", "--data", data, "--settle", "\(seconds)"])
        #expect(check.status == 0, "usher check found breaches:\n\(check.output)")
    }

    static func program(_ name: String) -> String {
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(filePath: tests).deletingLastPathComponent().appending(path: name).path()
    }

    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path()
}

struct StackFault: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Waits for a fact, looking often, within a bound.
func eventually(_ fact: String, within limit: Duration, _ isTrue: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if try await isTrue() { return }
        try await Task.sleep(for: .milliseconds(50))
    }
    throw StackFault("not in \(limit): \(fact)")
}

/// Ports nobody listens on, found by binding them all at once.
func freePorts(_ count: Int) -> [Int] {
    var descriptors: [Int32] = []
    defer { descriptors.forEach { close($0) } }
    return (0..<count).map { _ in
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        descriptors.append(descriptor)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                _ = bind(descriptor, raw, length)
                _ = getsockname(descriptor, raw, &length)
            }
        }
        return Int(in_port_t(bigEndian: address.sin_port))
    }
}
