// The report: what it counts and which promises it says are broken.
import Foundation
import Testing
import UsherAPI

@testable import LoadTest

struct ReportTests {
    private func report(_ endings: [Ending], joins: [JoinRecord] = [], visitors: Int? = nil) -> Report {
        let board = Scoreboard()
        for record in joins { board.joined(record) }
        for ending in endings { board.ended(ending, wasInShop: false) }
        return Report(
            board.snapshot(),
            visitors: visitors ?? endings.count,
            session: "ses_1",
            room: "arena",
            lasting: .seconds(12)
        )
    }

    @Test func `a sale in which everybody is told an end holds every promise`() {
        let report = report([
            .sold(seats: ["A-1-1", "A-1-2"], order: "ord_1"), .sold(seats: ["A-1-3"], order: "ord_2"),
            .toldSoldOut(at: .poll), .toldSoldOut(at: .claim), .toldSoldOut(at: .hold), .gaveUpPicking, .declined,
            .abandoned(at: .ordered),
        ])
        #expect(report.brokenPromises.isEmpty)
        #expect(report.seatsSold == 3 && report.orders == 2)
        #expect(report.toldSoldOutWaiting == 2 && report.toldSoldOutInShop == 1 && report.toldSoldOut == 3)
        #expect(report.gaveUpPicking == 1 && report.declined == 1 && report.abandoned == ["ordered": 1])
        #expect(Lines.table(report).contains("every promise held"))
    }

    @Test func `each broken promise is named`() {
        let join = JoinRecord(sent: .zero, answered: .seconds(1), number: 9)
        let later = JoinRecord(sent: .seconds(2), answered: .seconds(3), number: 8)
        let table: [(Report, String)] = [
            (
                report([.sold(seats: ["A-1-1"], order: "ord_1"), .sold(seats: ["A-1-1"], order: "ord_2")]),
                "1 seats sold twice (A-1-1)"
            ),
            (report([.unfinished(at: .poll)]), "1 visitors were not"),
            (report([.toldSoldOut(at: .poll)], visitors: 3), "2 visitors were not"),
            (report([.refused(at: .hold, code: "internal_error")]), "hold: internal_error 1"),
            (report([], joins: [join, later]), "1 inversions"),
            (report([], joins: [join, join]), "1 numbers given twice"),
        ]
        for (report, text) in table {
            #expect(report.brokenPromises.count == 1)
            #expect(report.brokenPromises.first?.contains(text) == true, "\(report.brokenPromises)")
            #expect(Lines.table(report).contains("BROKEN"))
        }
    }

    @Test func `the busiest minute is found wherever it lies`() {
        let times = [0, 10, 59, 60, 61, 62, 125].map { Duration.seconds($0) }
        #expect(Report.mostWithin(.seconds(60), of: times) == 5)
        #expect(Report.mostWithin(.seconds(60), of: []) == 0)
        #expect(Report.mostWithin(.seconds(60), of: [.seconds(0), .seconds(60)]) == 1)
    }

    @Test func `steps carry counts and percentiles, refusals their codes`() throws {
        let board = Scoreboard()
        for milliseconds in 1...100 {
            board.answered(
                .join,
                after: .milliseconds(milliseconds),
                answer: .reply(status: 201, code: nil, retryAfter: nil)
            )
        }
        board.answered(.hold, after: .milliseconds(3), answer: .reply(status: 409, code: .seatTaken, retryAfter: nil))
        board.answered(.hold, after: .milliseconds(3), answer: .reply(status: 418, code: nil, retryAfter: nil))
        board.answered(.hold, after: .milliseconds(3), answer: .lost)
        let report = Report(board.snapshot(), visitors: 0, session: "s", room: "r", lasting: .seconds(1))
        let join = try #require(report.steps.first { $0.step == "join" })
        #expect(join.count == 100 && abs(join.p50MS - 50) < 0.2 && abs(join.p99MS - 99) < 0.2)
        #expect(report.refusedByCode == ["seat_taken": 1, "status_418": 1])
        #expect(report.lostConnections == 1 && report.requests == 103)
    }

    @Test func `the JSON says the same in snake case`() throws {
        let report = report([.sold(seats: ["A-1-1"], order: "ord_1"), .unfinished(at: .settle)])
        let json = try #require(try JSONSerialization.jsonObject(with: report.json()) as? [String: Any])
        #expect(json["seats_sold"] as? Int == 1)
        #expect((json["broken_promises"] as? [String])?.count == 1)
        #expect((json["unfinished"] as? [String: Int]) == ["settle": 1])
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        _ = try JSONSerialization.data(withJSONObject: json)
    }

    @Test func `a progress line tells who is where`() {
        let board = Scoreboard()
        for _ in 0..<3 { board.arrived(late: .milliseconds(1)) }
        board.admitted(at: .seconds(1))
        board.ended(.toldSoldOut(at: .poll), wasInShop: false)
        let line = Lines.progress(board.snapshot(), after: .seconds(4), requestsBefore: 0)
        #expect(line.hasPrefix("4 s  arrived 3  waiting 1  in the shop 1"))
        #expect(line.contains("told sold out 1"))
    }
}
