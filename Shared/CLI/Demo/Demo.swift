import ArgumentParser
import Foundation

/// `usher demo`: data to try things with, on an Usher that runs.
struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes demo data on a running Usher.",
        subcommands: [Accounts.self]
    )

    struct Accounts: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes buyers with signed account tokens, for usher-loadtest."
        )

        @Option(help: "How many.")
        var count: Int

        @Option(help: "File to write, one JSON object a line; only you can read it.")
        var tokens: String

        @OptionGroup var running: RunningUsher

        func validate() throws {
            guard (1...DemoAccounts.countMax).contains(count) else {
                throw ValidationError("--count must be from 1 to \(DemoAccounts.countMax)")
            }
        }

        func run() async throws {
            let facts = try running.facts()
            try await withStores(facts.postgres) { stores in
                try await DemoAccounts(accounts: stores.accounts, keysFolder: facts.keys)
                    .make(count, tokensFile: tokens)
            }
            Terminal.say("\(count) accounts made; their tokens are in \(tokens)")
        }
    }
}
