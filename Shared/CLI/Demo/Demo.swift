import ArgumentParser
import Foundation

/// `usher demo`: data to try things with, on an Usher that runs.
struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes demo data on a running Usher.",
        subcommands: [Accounts.self, Venue.self]
    )

    struct Accounts: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes buyers with signed account tokens, for usher-loadtest."
        )

        @Option(help: "How many.")
        var count: Int

        @Option(help: "File to write, one JSON object a line; only you can read it.")
        var tokens: String

        @Option(help: "Give each buyer a pass of this room, too, as if they had waited.")
        var passOf: String?

        @OptionGroup var running: RunningUsher

        func validate() throws {
            guard (1...DemoAccounts.countMax).contains(count) else {
                throw ValidationError("--count must be from 1 to \(DemoAccounts.countMax)")
            }
        }

        func run() async throws {
            let facts = try running.facts()
            let passes = try await passes(facts)
            try await withStores(facts.postgres) { stores in
                try await DemoAccounts(accounts: stores.accounts, keysFolder: facts.keys, passes: passes)
                    .make(count, tokensFile: tokens)
            }
            Terminal.say("\(count) accounts made; their tokens are in \(tokens)")
        }

        private func passes(_ facts: RunningUsher.Facts) async throws -> DemoPasses? {
            guard let passOf else { return nil }
            let generation = try await GatewayAdmin(facts).generation(of: passOf)
            return try DemoPasses(room: passOf, generation: generation, keysFolder: facts.keys)
        }
    }

    struct Venue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a large venue with sessions on sale, for load runs, and prints the sessions' ids."
        )

        @Option(help: "Seats of each session.")
        var seats: Int

        @Option(help: "How many sessions.")
        var sessions = 1

        @Option(help: "A new waiting room in front of all of them.")
        var room: String?

        @OptionGroup var running: RunningUsher

        func validate() throws {
            guard (1...DemoVenue.seatsMax).contains(seats) else {
                throw ValidationError("--seats must be from 1 to \(DemoVenue.seatsMax)")
            }
            guard (1...DemoVenue.sessionsMax).contains(sessions) else {
                throw ValidationError("--sessions must be from 1 to \(DemoVenue.sessionsMax)")
            }
        }

        func run() async throws {
            let facts = try running.facts()
            let venue = DemoVenue(seats: seats, room: room)
            let made = try await withStores(facts.postgres) { try await venue.make(sessions, in: $0.catalogue) }
            let gateway = GatewayAdmin(facts)
            if let room { try await gateway.createRoom(room, policy: DemoRoom.policy(protecting: made)) }
            for session in made { try await gateway.waitUntilOpen(session, room: room) }
            for session in made { Terminal.say("\(session)") }
        }
    }
}
