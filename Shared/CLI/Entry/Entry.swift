// `usher entry`: entry tickets for rooms with `"challenge": {"kind": "attestation"}`, for issuers without software of
// their own and for trying it out.
import ArgumentParser
import Foundation
import QueueTokens

struct Entry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Signs entry tickets: the right of one person to join one room.",
        subcommands: [Keys.self, Sign.self]
    )

    struct Keys: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints the issuer's key set for the gateway's --entry-keys; makes the key when there is none."
        )

        @Option(help: "File of the issuer's private key.")
        var key: String

        func run() throws {
            print(String(decoding: try IssuerKey.load(from: key).jwks, as: UTF8.self))
        }
    }

    struct Sign: ParsableCommand {
        static let minutesMax: Int64 = 366 * 24 * 60

        static let configuration = CommandConfiguration(
            abstract: "Prints an entry ticket, to be sent as Usher-Challenge with a join."
        )

        @Option(help: "File of the issuer's private key.")
        var key: String
        @Option(help: "The issuer's name, as in the gateway's --entry-issuer.")
        var issuer: String
        @Option(help: "The room the ticket is for.")
        var room: String
        @Option(help: "Who the ticket is for: one text for one person, always the same.")
        var subject: String
        @Option(help: "Minutes until the ticket expires.")
        var minutes: Int64 = 60

        func validate() throws {
            guard (1...Self.minutesMax).contains(minutes) else {
                throw ValidationError("--minutes is from 1 to \(Self.minutesMax)")
            }
        }

        func run() throws {
            let now = Int64(Date().timeIntervalSince1970)
            let ticket = EntryTicket(
                issuer: issuer,
                room: room,
                subject: subject,
                issuedAt: now,
                expiresAt: now + minutes * 60
            )
            do {
                print(try ticket.sign(with: try IssuerKey.load(from: key)))
            } catch let fault as TokenFault {
                throw ValidationError("the ticket cannot be written: \(fault)")
            }
        }
    }
}
