// `usher-loadtest on-sale`: options, their checks, and the run.
import ArgumentParser
import Foundation
import NIOPosix
import UsherAPI

struct OnSaleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "on-sale",
        abstract: "Simulate the visitors of an on-sale and check what they were promised.",
        discussion: """
            Exit status: 0 every promise held, 1 a promise was broken, 2 the run could not start, 64 wrong usage.
            """
    )

    static let visitorsMax = 1_000_000

    @Option(help: "How many visitors come.") var visitors: Int
    @Option(help: "The session on sale, ses_….") var session: String
    @Option(help: "All visitors arrive within this many seconds.") var arriveWithin: Double = 10
    @Option(help: "Seats a visitor wants: 2, or a range such as 1…4 or 1-4.") var want: WantedSeats = .init(
        seats: 1...4
    )
    @Option(help: "Percent of visitors who leave without a word.") var abandon: Percent = .init(value: 0)
    @Option(help: "Percent of visitors whose first card is declined.") var decline: Percent = .init(value: 0)
    @Option(help: "Thinking time before seats and payment, milliseconds.") var think: Int = 500
    @Option(help: "The gateway.") var url: String = "http://127.0.0.1:8080"
    @Option(help: "The waiting room; by default the one that protects the session.") var room: String?
    @Option(help: "Prepared accounts: lines of {\"account\":…,\"token\":…}, as `usher demo accounts` writes them.")
    var tokens: String?
    @Option(help: "Percent of visitors who register over HTTP (100 without --tokens).") var registerShare: Percent?
    @Option(help: "Give up after this many seconds.") var timeout: Int = 600
    @Option(help: "Draws the crowd; the same seed gives the same one.") var seed: UInt64 = 1
    @Option(help: "Also write the result to this file as JSON.") var json: String?
    @Option(help: "Write what buyers were told of each seat to this file, for `usher-loadtest history`.")
    var history: String?

    func validate() throws {
        guard (1...Self.visitorsMax).contains(visitors) else {
            throw ValidationError("--visitors is from 1 to 1000000")
        }
        guard Target(url: url) != nil else { throw ValidationError("--url is http://HOST:PORT") }
        guard arriveWithin >= 0, think >= 0, timeout > 0 else { throw ValidationError("a time is negative") }
        guard tokens != nil || (registerShare?.value ?? 100) == 100 else {
            throw ValidationError("--tokens is needed unless everybody registers")
        }
    }

    func run() async throws {
        if let complaint = DescriptorLimit.complaint(visitors: visitors, limit: DescriptorLimit.raise()) {
            throw stop(complaint)
        }
        guard let target = Target(url: url) else { throw ExitCode(64) }
        let group = MultiThreadedEventLoopGroup.singleton
        let crowd = Crowd(
            want: want.seats,
            abandonPercent: abandon.value,
            declinePercent: decline.value,
            registerPercent: (registerShare ?? Percent(value: tokens == nil ? 100 : 0)).value,
            think: .milliseconds(think),
            seed: seed
        )
        guard let address = try? target.lookUp() else { throw stop("there is no host \(target.host)") }
        let found = try await readSession(
            VisitorConnection(target: target, address: address, source: nil, group: group)
        )
        guard let room = room ?? found.room else { throw stop("no room protects \(session): name one with --room") }
        let sale = Sale(
            target: target,
            address: address,
            session: session,
            room: room,
            limitPerBuyer: found.limitPerBuyer,
            asksForWork: try await readChallenge(
                of: room,
                VisitorConnection(target: target, address: address, source: nil, group: group)
            ),
            crowd: crowd,
            runID: Visitor.randomHex(bytes: 6),
            start: .now,
            scoreboard: Scoreboard(),
            recorder: history == nil ? nil : SaleRecorder()
        )
        let onSale = OnSale(
            sale: sale,
            pacer: Pacer(visitors: visitors, window: .milliseconds(Int64(arriveWithin * 1000))),
            accounts: try readAccounts(crowd),
            timeout: .seconds(timeout),
            group: group
        )
        let report = await onSale.run { say($0) }
        say(Lines.table(report))
        if let json { try write(report, to: json) }
        if let history, let recorder = sale.recorder { try write(recorder, to: history) }
        if !report.brokenPromises.isEmpty { throw ExitCode(1) }
    }

    private func readSession(_ connection: VisitorConnection) async throws -> SessionReply {
        defer { connection.close() }
        let reply: Reply
        do {
            reply = try await connection.send(.get(Path.session(session)))
        } catch {
            throw stop("\(url) does not answer")
        }
        guard reply.status == 200, let found = try? JSONDecoder().decode(SessionReply.self, from: Data(reply.body))
        else {
            throw stop("\(url) does not know session \(session) (status \(reply.status))")
        }
        return found
    }

    /// Whether visitors bring the solution of a puzzle along. A room that is not open yet says so at their first join.
    private func readChallenge(of room: String, _ connection: VisitorConnection) async throws -> Bool {
        defer { connection.close() }
        let request = Request.get(Path.room(room, "challenge"))
            .with(HeaderName.device, Visitor.randomHex(bytes: 16))
        guard let reply = try? await connection.send(request), reply.status == 200,
            let asked = try? JSONDecoder().decode(ChallengeReply.self, from: Data(reply.body))
        else { return false }
        guard asked.kind == "off" || asked.pow != nil else {
            throw stop("room \(room) asks for \(asked.kind), which simulated visitors cannot answer")
        }
        return asked.pow != nil
    }

    private func readAccounts(_ crowd: Crowd) throws -> [PreparedAccount?] {
        do {
            return try Accounts.assign(crowd, visitors: visitors) { count in
                guard let tokens, count > 0 else { return [] }
                return try Accounts.read(try String(contentsOfFile: tokens, encoding: .utf8), count: count)
            }
        } catch let flaw as Accounts.Flaw {
            throw stop("\(flaw)")
        } catch {
            throw stop("\(tokens ?? "--tokens") cannot be read")
        }
    }

    private func write(_ report: Report, to path: String) throws {
        do {
            try report.json().write(to: URL(fileURLWithPath: path))
        } catch {
            throw stop("\(path) cannot be written")
        }
    }

    private func write(_ recorder: SaleRecorder, to path: String) throws {
        guard let lines = try recorder.lines() else {
            throw stop("more than \(SaleRecorder.recordsMax) things happened: \(path) was not written")
        }
        do {
            try lines.write(to: URL(fileURLWithPath: path))
        } catch {
            throw stop("\(path) cannot be written")
        }
    }

    /// Unbuffered, so that progress is seen through a pipe, too.
    private func say(_ line: String) {
        FileHandle.standardOutput.write(Data("\(line)\n".utf8))
    }

    private func stop(_ line: String) -> ExitCode {
        FileHandle.standardError.write(Data("usher-loadtest: \(line)\n".utf8))
        return ExitCode(2)
    }
}

struct WantedSeats: ExpressibleByArgument, Sendable {
    static let seatsMax = 100

    var seats: ClosedRange<Int>

    init(seats: ClosedRange<Int>) { self.seats = seats }

    /// `3`, `1…4`, `1...4`, `1..4` or `1-4`.
    init?(argument: String) {
        let numbers = argument.split { !$0.isNumber }.compactMap { Int($0) }
        let marks = argument.filter { !$0.isNumber }
        guard ["", "…", "...", "..", "-", "–"].contains(marks), numbers.count == (marks.isEmpty ? 1 : 2),
            let low = numbers.first, let high = numbers.last, low >= 1, low <= high, high <= Self.seatsMax
        else { return nil }
        seats = low...high
    }

    var defaultValueDescription: String { "\(seats.lowerBound)…\(seats.upperBound)" }
}

struct Percent: ExpressibleByArgument, Sendable {
    var value: Double

    init(value: Double) { self.value = value }

    /// `5`, `2.5` or `5%`.
    init?(argument: String) {
        guard let value = Double(argument.hasSuffix("%") ? argument.dropLast() : argument[...]),
            (0...100).contains(value)
        else { return nil }
        self.value = value
    }

    var defaultValueDescription: String { "\(value)" }
}
