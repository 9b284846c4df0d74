import Foundation
import Ordering
import Supervision

/// The demo on-sale: a 400-seat session, a crowd at its door, and the proof afterwards.
struct DemoSale: Sendable {
    let plan: StackPlan
    let demo: DemoData
    let visitors: Int

    private static let payWindow = Duration.seconds(20)
    private static let perMinute = 3000
    private static let activeMax = 300
    private static let arriveWithin = 10
    /// Percent of visitors who make their account over HTTP first.
    private static let registerShare = 2
    private static let saleLimit = Duration.seconds(600)
    private static let settleSeconds = 30

    /// The exit status: 0 when every promise held.
    func run() async throws -> Int32 {
        guard let session = try await demo.untouchedSession() else {
            Terminal.say("usher: every demo session has been sold from; ./run --reset starts from empty data")
            return 1
        }
        let room = "on-sale-\("\(session.id)".suffix(4))"
        try await demo.setPayWindow(Self.payWindow, of: session.id)
        try await demo.openRoom(
            room,
            for: session.id,
            policy: DemoRoom.policy(
                perMinute: Self.perMinute,
                activeMax: Self.activeMax,
                session: session.id
            )
        )
        let tokens = plan.dataFolder + "/demo-tokens.jsonl"
        try await demo.makeAccounts(visitors, tokensFile: tokens)
        Terminal.say("\nDemo on-sale: \(visitors) visitors for the 400 seats of session \(session.id), room \(room)\n")
        let sold = try await program(
            "usher-loadtest",
            [
                "on-sale", "--url", plan.gateway, "--room", room, "--session", "\(session.id)", "--visitors",
                "\(visitors)", "--arrive-within", "\(Self.arriveWithin)", "--tokens", tokens, "--register-share",
                "\(Self.registerShare)", "--json",
                plan.dataFolder + "/demo-sale.json",
            ],
            atMost: Self.saleLimit
        )
        Terminal.say("\nWhat was promised, checked in PostgreSQL, Redis and the provider's ledger:\n")
        let checked = try await program(
            "usher",
            ["check", "--data", plan.dataFolder, "--settle", "\(Self.settleSeconds)"],
            atMost: Self.saleLimit
        )
        return sold == 0 && checked == 0 ? 0 : 1
    }

    /// Runs a program of Usher with its output here; a cancelled run ends it.
    private func program(_ name: String, _ arguments: [String], atMost limit: Duration) async throws -> Int32 {
        let child = try ChildProcess.start(.init(executable: plan.program(name), arguments: arguments))
        let deadline = ContinuousClock.now + limit
        do {
            while ContinuousClock.now < deadline {
                if let exit = child.exit {
                    if case .status(let status) = exit { return status }
                    return 1
                }
                try await Task.sleep(for: .milliseconds(50))
            }
        } catch {
            await child.stop(grace: .seconds(2))
            throw error
        }
        await child.stop(grace: .seconds(2))
        throw UpFault("\(name) did not end within \(limit)")
    }
}
