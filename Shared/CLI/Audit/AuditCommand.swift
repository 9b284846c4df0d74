import ArgumentParser
import Fairness
import Foundation

/// `usher audit`: checks a room's order from what it published, with no help from its gateways.
///
/// Exit status 0 when every check holds, 1 when one fails, 2 when there is nothing to check.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Checks a waiting room's order again, from its published bundle.",
        discussion: """
            The bundle comes from a gateway (--url, or the running usher's), or from a file (--bundle); --save keeps it for others, who can also \
            check it with docs/verify/usher_verify.py. What each check means: docs/fairness.md. The BLS signature of a \
            drand round is not verified here, its hash is; the Python checker verifies both.
            Exit status: 0 all checks hold, 1 one fails, 2 there is nothing to check.
            """
    )

    @Option(help: "The room's name; with --bundle, the room the file must be of.")
    var room: String?

    @OptionGroup var running: RunningUsher

    @Option(help: "Address of a gateway, such as http://127.0.0.1:8080, instead of the running usher's.")
    var url: String?

    @Option(help: "A bundle's file, instead of a gateway.")
    var bundle: String?

    @Option(help: "Keep the bundle in this file.")
    var save: String?

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard url == nil || bundle == nil else { throw ValidationError("give --url or --bundle, not both") }
        guard room != nil || bundle != nil else { throw ValidationError("say which --room, or give a --bundle") }
    }

    func run() async throws {
        let report: AuditReport
        do {
            let file = try await file()
            if let save { try Data(file).write(to: URL(filePath: save)) }
            let bundle = try RoomBundle(file: file)
            if let room, bundle.header.room != room { throw BundleFlaw("the bundle is of room \(bundle.header.room)") }
            report = Audit.run(bundle) { note("checking: \($0)") }
        } catch {
            FileHandle.standardError.write(Data("usher audit: \(error)\n".utf8))
            throw ExitCode(2)
        }
        print(json ? try AuditPrint.json(report) : AuditPrint.text(report))
        if !report.holds { throw ExitCode(1) }
    }

    private func file() async throws -> [UInt8] {
        if let bundle { return Array(try Data(contentsOf: URL(filePath: bundle), options: .mappedIfSafe)) }
        let source = PublishedBundle(gateway: try url ?? running.facts().gateway, room: room ?? "")
        return try await source.file { note("fetched: \($0) bytes") }
    }

    /// Progress, for the person at a terminal alone.
    private func note(_ text: String) {
        guard !json, isatty(STDERR_FILENO) == 1 else { return }
        FileHandle.standardError.write(Data("\r\u{1b}[K\(text)\r".utf8))
    }
}
