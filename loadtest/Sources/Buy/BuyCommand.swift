// `usher-loadtest buy`: as many purchases as the shop can carry out, with as little load of its own as possible.
import ArgumentParser
import Foundation
import NIOCore
import NIOPosix
import UsherAPI

struct BuyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "buy",
        abstract: "Buy (or hold, or look at) best seats as fast as the shop answers, with prepared accounts.",
        discussion: "Each connection serves one buyer after the other. Prints one JSON object."
    )

    static let connectionsMax = 4096
    static let secondsMax = 3600

    @Option(help: "Booking or a gateway.") var url = "http://127.0.0.1:8081"
    @Option(help: "The session on sale, ses_….") var session: String
    @Option(help: "Prepared accounts, as `usher demo accounts` writes them.") var tokens: String
    @Option(help: "purchase: hold, order, pay. order: hold and order in one, pay. hold: hold and release. map: look.")
    var flow = BuyFlow.purchase
    @Option(help: "Seats of a buyer: 2, or a range such as 1-4.") var want = WantedSeats(seats: 1...4)
    @Option(help: "Connections, each with one request at a time.") var connections = 64
    @Option(help: "No buyer begins after this many seconds.") var seconds = 60
    @Option(help: "And none once so many purchases have begun; 0: until the seats or the accounts end.") var orders = 0
    @Option(help: "Leave the session with so many free seats.") var leave = 0
    @Option(help: "Leave out so many accounts at the beginning of the file.") var skip = 0
    @Option(help: "Draws how many seats each buyer wants; another one makes other idempotency keys.")
    var seed: UInt64 = 1

    func validate() throws {
        guard Target(url: url) != nil else { throw ValidationError("--url is http://HOST:PORT") }
        guard (1...Self.connectionsMax).contains(connections), (1...Self.secondsMax).contains(seconds), orders >= 0,
            leave >= 0, skip >= 0
        else {
            throw ValidationError(
                "--connections is from 1 to \(Self.connectionsMax), --seconds from 1 to \(Self.secondsMax)"
            )
        }
    }

    func run() async throws {
        _ = DescriptorLimit.raise()
        guard let target = Target(url: url), let address = try? target.lookUp() else { throw stop("no such host") }
        let buyers = try readBuyers()
        let map = try await readMap(VisitorConnection(target: target, address: address, source: nil, group: group))
        let plan = BuyPlan(
            address: address,
            authority: target.authority,
            session: session,
            flow: flow,
            want: want.seats,
            connections: connections,
            time: .seconds(Int64(seconds)),
            ordersMax: orders == 0 ? Int.max : orders,
            seed: seed
        )
        let seats = SeatShare(free: max(0, map.free - leave), chance: SplitMix64(seed: seed))
        let report = try await BuyRun.carryOut(plan, buyers: buyers, seats: seats, on: group.next())
        print(try report.json())
        if report.unfinished > 0 || !report.seatsSoldTwice.isEmpty { throw ExitCode(1) }
    }

    private var group: MultiThreadedEventLoopGroup { .singleton }

    /// The headers of each buyer, ready to be sent.
    private func readBuyers() throws -> [String] {
        guard let text = try? String(contentsOfFile: tokens, encoding: .utf8) else {
            throw stop("\(tokens) cannot be read")
        }
        let decoder = JSONDecoder()
        return try text.split(separator: "\n").dropFirst(skip).map { line in
            guard let buyer = try? decoder.decode(PreparedAccount.self, from: Data(line.utf8)) else {
                throw stop("\(tokens) is not of `usher demo accounts`")
            }
            let pass = buyer.pass.map { "\(HeaderName.pass): \($0)\r\n" } ?? ""
            return "\(HeaderName.authorization): Bearer \(buyer.token)\r\n\(pass)"
        }
    }

    private func readMap(_ connection: VisitorConnection) async throws -> SeatMapReply {
        defer { connection.close() }
        let text = (try? String(contentsOfFile: tokens, encoding: .utf8)) ?? ""
        let first = (try? Accounts.read(text, count: 1))?.first
        let request = Request.get(Path.seats(session)).with(HeaderName.pass, first?.pass)
        guard let reply = try? await connection.send(request) else { throw stop("\(url) does not answer") }
        guard reply.status == 200, let map = try? JSONDecoder().decode(SeatMapReply.self, from: Data(reply.body)) else {
            throw stop("\(url) shows no seats of \(session): \(reply.status)")
        }
        return map
    }

    private func stop(_ line: String) -> ExitCode {
        FileHandle.standardError.write(Data("usher-loadtest: \(line)\n".utf8))
        return ExitCode(2)
    }
}
