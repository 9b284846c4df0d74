import ArgumentParser
import Checking
import Foundation

/// `usher check`: compares PostgreSQL, Redis and the provider's ledger.
///
/// Exit status 0 when every promise is kept, 1 when one is broken, 2 when a store cannot be reached.
struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compares PostgreSQL, Redis and the payment provider's ledger, promise by promise.",
        discussion: """
            While things are being sold the stores differ for moments; --settle waits until they agree.
            Exit status: 0 all promises kept, 1 one is broken, 2 a store cannot be reached.
            """
    )

    static let lookInterval = Duration.milliseconds(500)

    @OptionGroup var running: RunningUsher

    @Option(help: "PostgreSQL's connection string, instead of the running usher's.")
    var postgres: String?

    @Option(help: "Redis' address (unix:///… or redis://…), instead of the running usher's.")
    var redis: String?

    @Option(help: "The provider's ledger file, instead of the running usher's.")
    var ledger: String?

    @Option(help: "Look again until all promises are kept, for so many seconds at most.")
    var settle = 0

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard (0...3600).contains(settle) else { throw ValidationError("--settle must be from 0 to 3600 seconds") }
    }

    func run() async throws {
        let report: CheckReport
        do {
            report = CheckReport(try await settledFindings(at: addresses()))
        } catch let error as StoreUnreachable {
            FileHandle.standardError.write(Data("usher check: \(error)\n".utf8))
            throw ExitCode(2)
        }
        print(json ? try report.json : report.text)
        if !report.kept { throw ExitCode(1) }
    }

    private func addresses() throws -> StoreAddresses {
        if let postgres, let redis, let ledger {
            return StoreAddresses(postgres: postgres, redis: redis, ledger: ledger)
        }
        let facts: RunningUsher.Facts
        do {
            facts = try running.facts()
        } catch {
            throw StoreUnreachable(description: "\(error)")
        }
        return StoreAddresses(
            postgres: postgres ?? facts.postgres,
            redis: redis ?? facts.redis,
            ledger: ledger ?? facts.ledger
        )
    }

    /// The findings of the first look at which all is well, or of the last one. A store that is away (a process was
    /// killed and comes back) counts as not settled.
    private func settledFindings(at addresses: StoreAddresses) async throws -> [Finding] {
        let deadline = ContinuousClock.now + .seconds(settle)
        return try await ComparedStores.with(addresses) { stores in
            while true {
                let isLast = ContinuousClock.now >= deadline
                do {
                    let findings = try await stores.findings()
                    if isLast || findings.allSatisfy(\.isKept) { return findings }
                } catch let error as StoreUnreachable {
                    if isLast { throw error }
                }
                try await Task.sleep(for: Self.lookInterval)
            }
        }
    }
}
