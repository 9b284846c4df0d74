// The parts of the load test that are only rules: pacing, traits, reactions, seat choice, inversions.
import Foundation
import Testing
import UsherAPI

@testable import LoadTest

struct PacerTests {
    @Test func `arrivals are spread evenly over the window and the first is at once`() {
        let pacer = Pacer(visitors: 4, window: .seconds(10))
        #expect((0..<4).map(pacer.arrival) == [.zero, .milliseconds(2500), .seconds(5), .milliseconds(7500)])
        #expect(Pacer(visitors: 0, window: .seconds(1)).arrival(of: 0) == .zero)
    }

    @Test func `the same seed draws the same crowd, another seed another`() {
        func crowd(_ seed: UInt64) -> [Traits] {
            let crowd = Crowd(
                want: 1...4,
                abandonPercent: 20,
                declinePercent: 10,
                registerPercent: 5,
                think: .zero,
                seed: seed
            )
            return (0..<2000).map { Traits(of: $0, in: crowd) }
        }
        #expect(crowd(1) == crowd(1) && crowd(1) != crowd(2))
        let drawn = crowd(1)
        #expect(Set(drawn.map(\.want)) == [1, 2, 3, 4])
        #expect((300...500).contains(drawn.count { $0.leavesAt != nil }))
        #expect((140...260).contains(drawn.count(where: \.triesDeclinedCard)))
        #expect((60...140).contains(drawn.count(where: \.registers)))
    }

    @Test(arguments: [("3", 3...3), ("1…4", 1...4), ("1-4", 1...4), ("2..3", 2...3), ("1...1", 1...1)])
    func `a wanted number of seats is one number or a range`(text: String, seats: ClosedRange<Int>) {
        #expect(WantedSeats(argument: text)?.seats == seats)
    }

    @Test(arguments: ["", "0", "4-1", "1-", "-1", "a", "1-2-3", "1000", "1,2"])
    func `anything else is refused`(text: String) {
        #expect(WantedSeats(argument: text) == nil)
    }

    @Test(arguments: [("10", 10.0), ("2.5%", 2.5), ("0", 0), ("100%", 100)])
    func `a share is a percentage`(text: String, value: Double) {
        #expect(Percent(argument: text)?.value == value)
        #expect(Percent(argument: "101") == nil && Percent(argument: "-1") == nil && Percent(argument: "x") == nil)
    }

    @Test func `every visitor of ten thousand has an address of its own in 127/8`() {
        let sources = (0..<70_000).map(VisitorConnection.source(ofVisitor:))
        #expect(Set(sources).count == 70_000)
        #expect(sources[0] == "127.10.0.0" && sources[65_536] == "127.11.0.0")
        #expect(sources.allSatisfy { $0.hasPrefix("127.") })
    }

    @Test(arguments: [
        ("http://127.0.0.1:8080", "127.0.0.1:8080"), ("http://localhost:80/", "localhost:80"), ("http://h", "h:80"),
    ])
    func `a target is a plain HTTP origin`(url: String, authority: String) {
        #expect(Target(url: url)?.authority == authority)
        for wrong in ["https://h", "h:80", "http://", "http://h:0", "http://h:x", "http://h/path", "http://h:1:2"] {
            #expect(Target(url: wrong) == nil)
        }
    }

    @Test func `too few descriptors are said in one line`() throws {
        #expect(DescriptorLimit.complaint(visitors: 1000, limit: 1064) == nil)
        let line = try #require(DescriptorLimit.complaint(visitors: 10_000, limit: 1024))
        #expect(line.contains("10064") && line.contains("1024") && !line.contains("\n"))
    }

    @Test func `accounts are dealt to those who do not register`() throws {
        let crowd = Crowd(
            want: 1...1,
            abandonPercent: 0,
            declinePercent: 0,
            registerPercent: 50,
            think: .zero,
            seed: 3
        )
        let dealt = try Accounts.assign(crowd, visitors: 100) { count in
            (0..<count).map { PreparedAccount(account: "usr_\($0)", token: "t") }
        }
        for (index, account) in dealt.enumerated() {
            #expect((account == nil) == Traits(of: index, in: crowd).registers)
        }
        let accounts = dealt.compactMap { $0?.account }
        #expect(Set(accounts).count == accounts.count && accounts.count > 20)
    }

    @Test func `a tokens file that is too short or broken says so`() throws {
        let line = #"{"account":"usr_1","token":"t"}"#
        #expect(try Accounts.read("\(line)\n\(line)\n", count: 1) == [PreparedAccount(account: "usr_1", token: "t")])
        let short = #expect(throws: Accounts.Flaw.self) { try Accounts.read(line, count: 2) }
        #expect(short?.description.contains("has 1 accounts, 2") == true)
        let broken = #expect(throws: Accounts.Flaw.self) { try Accounts.read("\(line)\n{}\n", count: 2) }
        #expect(broken?.description.contains("line 2") == true)
    }
}

struct ReactionTests {
    private func reply(_ status: Int, _ code: ProblemCode? = nil, after: Duration? = nil) -> Answer {
        .reply(status: status, code: code, retryAfter: after)
    }

    @Test func `every step has a success and goes on with it`() {
        let table: [(Step, Int)] = [
            (.register, 201), (.login, 200), (.challenge, 200), (.join, 201), (.join, 200), (.poll, 200), (.claim, 200),
            (.claim, 202),
            (.seats, 200), (.hold, 201), (.order, 201), (.pay, 200), (.pay, 202), (.settle, 200), (.tickets, 200),
        ]
        for (step, status) in table {
            #expect(Reactions.reaction(to: reply(status), at: step, attempt: 0) == .goOn)
        }
        #expect(Set(table.map(\.0)) == Set(Step.allCases))
    }

    @Test(arguments: [Step.join, .poll, .claim, .seats, .hold, .order])
    func `sold out ends the visit wherever it is told`(step: Step) {
        #expect(Reactions.reaction(to: reply(410, .soldOut), at: step, attempt: 0) == .soldOut)
    }

    @Test(arguments: [429, 502, 503, 504])
    func `a busy server is asked again when it says, or after a growing pause, not for ever`(status: Int) {
        let told = reply(status, .overloaded, after: .seconds(7))
        #expect(Reactions.reaction(to: told, at: .hold, attempt: 0) == .again(after: .seconds(7)))
        let silent = reply(status)
        #expect(Reactions.reaction(to: silent, at: .hold, attempt: 0) == .again(after: .milliseconds(50)))
        #expect(Reactions.reaction(to: silent, at: .hold, attempt: 3) == .again(after: .milliseconds(400)))
        #expect(Reactions.reaction(to: silent, at: .hold, attempt: 40) == .again(after: .seconds(2)))
        #expect(Reactions.reaction(to: silent, at: .hold, attempt: 80) == .refused("status_\(status)"))
    }

    @Test func `a lost connection is tried again, not for ever`() {
        #expect(Reactions.reaction(to: .lost, at: .order, attempt: 0) == .again(after: .milliseconds(50)))
        #expect(Reactions.reaction(to: .lost, at: .order, attempt: 80) == .refused("connection_lost"))
    }

    @Test func `refusals that belong to a sale have their own reactions`() {
        let table: [(Step, Int, ProblemCode, Reaction)] = [
            (.hold, 409, .seatTaken, .pickAgain), (.order, 409, .seatTaken, .pickAgain),
            (.order, 410, .holdExpired, .pickAgain), (.order, 410, .holdLost, .pickAgain),
            (.pay, 410, .orderExpired, .pickAgain), (.pay, 402, .paymentDeclined, .declined),
            (.hold, 409, .notEnoughSeats, .fewerFree), (.hold, 422, .orphanSeat, .pickAgain),
            (.pay, 409, .orderStateConflict, .goOn),
            (.hold, 422, .purchaseLimitExceeded, .wantFewer),
            (.seats, 403, .passRequired, .claimAgain), (.hold, 403, .passExpired, .claimAgain),
            (.order, 409, .requestInProgress, .again(after: .milliseconds(200))),
            (.join, 409, .roomNotOpen, .again(after: .seconds(1))), (.register, 409, .emailTaken, .goOn),
        ]
        for (step, status, code, expected) in table {
            #expect(Reactions.reaction(to: reply(status, code), at: step, attempt: 0) == expected, "\(step) \(code)")
        }
    }

    @Test func `everything else is no answer of a working sale`() {
        #expect(Reactions.reaction(to: reply(500), at: .hold, attempt: 0) == .refused("status_500"))
        #expect(Reactions.reaction(to: reply(401, .tokenInvalid), at: .join, attempt: 0) == .refused("token_invalid"))
        #expect(Reactions.reaction(to: reply(409, .seatTaken), at: .join, attempt: 0) == .refused("seat_taken"))
        #expect(Reactions.reaction(to: reply(404), at: .tickets, attempt: 0) == .refused("status_404"))
        #expect(Reactions.reaction(to: reply(201), at: .poll, attempt: 0) == .refused("status_201"))
    }
}

struct SeatChoiceTests {
    private func map(_ rows: [String]) throws -> SeatMapReply {
        let rows = rows.enumerated().map { #"{"label":"R\#($0)","first":5,"seats":"\#($1)"}"# }
        let price = #"{"amount_minor":5000,"currency":"EUR"}"#
        let section =
            #"{"name":"A","area":"Stalls","price":\#(price),"kind":"seats","free":0,"rows":[\#(rows.joined(separator: ","))]}"#
        let map = #"{"session_id":"ses_1","sections":[\#(section)],"free":0,"version":"1-1","as_of":""}"#
        return try JSONDecoder().decode(SeatMapReply.self, from: Data(map.utf8))
    }

    @Test func `seats are side by side when a row has room`() throws {
        var chance = SplitMix64(seed: 1)
        for _ in 0..<50 {
            let seats = try SeatChoice.choose(3, from: map(["FHF_FF", "SFFFS", "FF|FF"]), using: &chance)
            #expect(seats == ["A-R1-6", "A-R1-7", "A-R1-8"])
        }
    }

    @Test func `single seats are taken when no row has room, and fewer when fewer are left`() throws {
        var chance = SplitMix64(seed: 2)
        let scattered = try SeatChoice.choose(2, from: map(["FHF", "SSS"]), using: &chance)
        #expect(Set(scattered ?? []) == ["A-R0-5", "A-R0-7"])
        #expect(try SeatChoice.choose(4, from: map(["SFS", "BHS"]), using: &chance) == ["A-R0-6"])
    }

    @Test func `nobody is left alone when that can be`() throws {
        var chance = SplitMix64(seed: 5)
        for _ in 0..<50 {
            let seats = try SeatChoice.choose(2, from: map(["FFFFF"]), using: &chance) ?? []
            #expect([["A-R0-5", "A-R0-6"], ["A-R0-8", "A-R0-9"]].contains(seats))
        }
    }

    @Test func `nothing free is nothing chosen`() throws {
        var chance = SplitMix64(seed: 3)
        #expect(try SeatChoice.choose(1, from: map(["HSB_"]), using: &chance) == nil)
        #expect(try SeatChoice.choose(1, from: map([]), using: &chance) == nil)
    }

    @Test func `a crowd spreads over the map`() throws {
        var chance = SplitMix64(seed: 4)
        let first = try (0..<200).compactMap { _ in
            try SeatChoice.choose(1, from: map(["FFFFFFFFFF"]), using: &chance)?.first
        }
        // All but the two that would leave the seat at an end alone.
        #expect(Set(first).count == 8)
    }
}

struct InversionTests {
    private func join(_ sent: Int, _ answered: Int, _ number: UInt64) -> JoinRecord {
        JoinRecord(sent: .milliseconds(sent), answered: .milliseconds(answered), number: number)
    }

    @Test func `only a join answered before the other was sent can be overtaken`() {
        #expect(Inversions.count([join(0, 10, 2), join(20, 30, 1)]) == 1)
        #expect(Inversions.count([join(0, 10, 1), join(20, 30, 2)]) == 0)
        #expect(Inversions.count([join(0, 25, 2), join(20, 30, 1)]) == 0)
        #expect(Inversions.count([join(0, 20, 2), join(20, 30, 1)]) == 0)
        #expect(Inversions.count([]) == 0)
    }

    @Test func `the fast count is the slow count`() {
        var chance = SplitMix64(seed: 5)
        for size in [2, 3, 10, 60, 200] {
            let joins = (0..<size).map { _ in
                let sent = Int.random(in: 0..<300, using: &chance)
                let answered = sent + Int.random(in: 0..<100, using: &chance)
                return join(sent, answered, UInt64.random(in: 1...40, using: &chance))
            }
            let slow = joins.reduce(0) { total, a in
                total + joins.count { b in a.answered < b.sent && a.number > b.number }
            }
            #expect(Inversions.count(joins) == slow)
        }
    }

    @Test func `a number given twice is seen`() {
        #expect(Inversions.repeatedNumbers([join(0, 1, 1), join(0, 1, 2), join(0, 1, 2), join(0, 1, 2)]) == 2)
    }

    @Test func `a hundred thousand joins are counted in a moment`() {
        let joins = (0..<100_000).map { join($0, $0 + 5, UInt64($0 + 1)) }
        #expect(Inversions.count(joins) == 0)
    }
}
