import ArgumentParser
import Foundation
import Operations

/// `usher up`: private stores, all services, demo data, a demo on-sale; stays until Ctrl-C and stops all in order.
struct Up: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Starts a private Redis and PostgreSQL, all services and demo data; stops everything on Ctrl-C.",
        discussion: "Everything is kept under the data folder; sockets are in a private folder under /tmp."
    )

    @Flag(help: "End after the demo sale; the exit status says whether every promise held.")
    var once = false

    @Flag(help: "Skip the demo sale.")
    var serve = false

    @Flag(help: "Start from empty data.")
    var reset = false

    @Flag(help: "Serve visitors over TLS too, with a certificate made for this machine.")
    var tls = false

    @Option(help: "Folder for all data.")
    var data = ".data"

    @Option(help: "Folder of the gateway's pages.")
    var pages = "Gateway/Pages"

    @Option(help: "Visitors of the demo sale.")
    var visitors = 2000

    @Option(help: "Port for visitors.")
    var gatewayPort = 8080

    @Option(help: "Port for visitors over TLS, with --tls.")
    var tlsPort = 8443

    @Option(help: "Port of the gateway's admin API, health and metrics.")
    var adminPort = 8090

    @Option(help: "Port of booking's API.")
    var bookingPort = 8081

    @Option(help: "Port of booking's health and metrics.")
    var bookingOperationsPort = 8091

    @Option(help: "Port of the mock payment provider.")
    var paymentsPort = 8082

    @Option(help: "Longest pause before a service that ended again is started again, in seconds.")
    var restartPauseMax = 10.0

    func validate() throws {
        if once, serve { throw ValidationError("--once needs the demo sale that --serve skips; give one of them") }
        guard (1...50_000).contains(visitors) else { throw ValidationError("--visitors must be from 1 to 50000") }
        guard (0...600).contains(restartPauseMax) else {
            throw ValidationError("--restart-pause-max must be from 0 to 600")
        }
    }

    func run() async throws {
        let descriptors = Program.raiseDescriptorLimit()
        let plan = StackPlan(self)
        do {
            let lock = try FolderLock(plan.dataFolder)
            defer { lock.release() }
            try Preflight.check(plan, descriptors: descriptors, visitors: serve ? 0 : visitors)
            if reset { try plan.eraseData() }
            try plan.makeFolders()
            let stack = Stack(plan)
            let status = await Foreground.run(stack) { try await session(stack) }
            plan.removeSockets()
            if status != 0 { throw ExitCode(status) }
        } catch let fault as UpFault {
            FileHandle.standardError.write(Data("usher: \(fault)\n".utf8))
            throw ExitCode(2)
        }
    }

    /// What happens between the start and the stop; the exit status.
    private func session(_ stack: Stack) async throws -> Int32 {
        try await stack.start()
        return try await withThrowingTaskGroup(of: Int32.self) { group in
            group.addTask {
                try await stack.watch()
                return 0
            }
            group.addTask { try await present(stack) }
            let status = try await group.next() ?? 0
            group.cancelAll()
            return status
        }
    }

    /// Demo data, the demo sale, and then staying up.
    private func present(_ stack: Stack) async throws -> Int32 {
        let demo = DemoData(plan: stack.plan)
        try await demo.prepare()
        let status = serve ? 0 : try await DemoSale(plan: stack.plan, demo: demo, visitors: visitors).run()
        if once { return status }
        stack.printAddresses()
        while true { try await Task.sleep(for: .seconds(3600)) }
    }
}

/// Why `usher up` does not start, in one line that says what to do.
struct UpFault: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
