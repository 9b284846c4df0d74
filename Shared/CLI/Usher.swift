import ArgumentParser

/// `usher`: runs everything on one machine, makes demo data and accounts, and checks that all promises held.
@main
struct Usher: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usher",
        abstract: "Runs Usher on one machine and checks what it promises.",
        subcommands: [Up.self, Check.self, AuditCommand.self, Simulate.self, Demo.self, Admin.self, Entry.self]
    )
}
