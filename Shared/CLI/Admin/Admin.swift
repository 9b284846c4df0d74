import ArgumentParser
import BookingDatabase
import Foundation
import Ordering
import Signing

/// `usher admin`: what only somebody with the database at hand may do.
struct Admin: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Administers a running Usher.",
        subcommands: [Create.self]
    )

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes an account with the admin role; reads the password from standard input."
        )

        @Option(help: "E-mail address to log in with.")
        var email: String

        @OptionGroup var running: RunningUsher

        func run() async throws {
            let facts = try running.facts()
            let line = email.lowercased()
            guard line.split(separator: "@").count == 2 else { throw ValidationError("--email is not an address") }
            if isatty(STDIN_FILENO) == 1 { print("Password (8 to 128 bytes): ", terminator: "") }
            guard let password = readLine(strippingNewline: true), (8...128).contains(password.utf8.count) else {
                throw ValidationError("a password of 8 to 128 bytes is expected on standard input")
            }
            let account = Account(
                id: try WallClock.makeID(),
                email: line,
                role: .admin,
                passwordHash: try Argon2id.hash(password)
            )
            let isNew = try await withStores(facts.postgres) { try await $0.accounts.insert(account) }
            guard isNew else { throw UpFault("an account with this e-mail address exists already") }
            print("admin account \(account.id) made for \(line)")
        }
    }
}
