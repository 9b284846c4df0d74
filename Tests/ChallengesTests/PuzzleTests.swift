import Signing
import Testing

@testable import Challenges

struct PuzzleTests {
    @Test(arguments: [1, 2, 3, 1000, 49_999] as [UInt32])
    func `the solver finds the number and the gateway takes it`(limit: UInt32) throws {
        for round in 0..<8 {
            let puzzle = Sample.puzzle(limit: limit, entropy: SecureRandom.bytes(24))
            let number = try #require(Sample.number(of: puzzle))
            #expect(number < limit)
            let passed = try ChallengeAnswer.check(
                "\(puzzle.text).\(number)",
                for: Sample.scope,
                key: Sample.key,
                atMS: Sample.now + Int64(round)
            )
            #expect(passed.way == .puzzle)
            #expect(passed.id == puzzle.nonce)
            #expect(passed.expiresAtMS == Sample.now + 120_000)
        }
    }

    @Test func `no number but the right one is taken, even of a small puzzle`() throws {
        let puzzle = Sample.puzzle(limit: 500)
        let number = try #require(Sample.number(of: puzzle))
        let taken = (0..<600).filter { Sample.flaw("\(puzzle.text).\($0)") == nil }
        #expect(taken == [Int(number)])
    }

    @Test func `a puzzle whose target is under no seal of ours is refused, however well it is solved`() throws {
        let mine = Sample.puzzle(key: ChallengeKey(secret: [1], room: "sale", generation: 1))
        let number = try #require(Sample.number(of: mine))
        #expect(Sample.flaw("\(mine.text).\(number)") == .wrongSeal)
    }

    @Test func `every changed bit of a puzzle is refused`() throws {
        let puzzle = Sample.puzzle()
        let number = try #require(Sample.number(of: puzzle))
        let bytes = try #require(Base64URL.decode(puzzle.text))
        for position in bytes.indices {
            for bit in 0..<8 {
                var changed = bytes
                changed[position] ^= 1 << UInt8(bit)
                let flaw = Sample.flaw("\(Base64URL.encode(changed)).\(number)")
                #expect(flaw == (position < 3 ? .malformed : .wrongSeal), "byte \(position)")
            }
        }
    }

    @Test(
        arguments: [
            ChallengeScope(room: "sale2", dedupeTag: Sample.tag), ChallengeScope(room: "sal", dedupeTag: Sample.tag),
            ChallengeScope(room: "sale", dedupeTag: Sample.tag.reversed()),
            ChallengeScope(room: "sale", dedupeTag: Array(Sample.tag.dropLast())),
            // A byte moved from the tag to the room, as in fields without lengths.
            ChallengeScope(room: "sale\0", dedupeTag: Array(Sample.tag.dropFirst())),
        ]
    )
    func `a puzzle is worth nothing to anybody else and in no other room`(scope: ChallengeScope) throws {
        let puzzle = Sample.puzzle()
        let number = try #require(Sample.number(of: puzzle))
        #expect(Sample.flaw("\(puzzle.text).\(number)", scope) == .wrongSeal)
    }

    @Test func `a room that was made anew takes no answer from before`() throws {
        let puzzle = Sample.puzzle()
        let number = try #require(Sample.number(of: puzzle))
        let secret = [UInt8](repeating: 7, count: 32)
        for key in [
            ChallengeKey(secret: secret, room: "sale", generation: 2),
            ChallengeKey(secret: secret, room: "sales", generation: 1),
            ChallengeKey(secret: [UInt8](repeating: 8, count: 32), room: "sale", generation: 1),
        ] {
            #expect(Sample.flaw("\(puzzle.text).\(number)", key: key) == .wrongSeal)
        }
    }

    @Test(arguments: [(0, nil), (29_999, nil), (30_000, .expired), (1_000_000, .expired)] as [(Int64, ChallengeFlaw?)])
    func `a puzzle ends at its expiry`(after: Int64, flaw: ChallengeFlaw?) throws {
        let puzzle = Sample.puzzle(lifetimeMS: 30_000)
        let number = try #require(Sample.number(of: puzzle))
        #expect(Sample.flaw("\(puzzle.text).\(number)", at: Sample.now + after) == flaw)
    }

    @Test func `no puzzle lives longer than two minutes or asks for more than the most`() {
        let puzzle = Sample.puzzle(limit: .max, lifetimeMS: .max / 2)
        #expect(puzzle.expiresAtMS == Sample.now + 120_000)
        #expect(puzzle.limit == Puzzle.limitMax)
        #expect(Sample.puzzle(limit: 0).limit == 1)
    }

    @Test(arguments: [
        "", ".", "..", "a.b", "T.", "T.01", "T.+1", "T.-1", "T. 1", "T.1.1", "T.4294967296", "T.99999999999", "T.1a",
        "T.1 ", "T.٣", ".1", "T\n.1", "TT.1",
    ])
    func `an answer has one form`(text: String) {
        let puzzle = Sample.puzzle(limit: 2)
        #expect(Sample.flaw(text.replacing("T", with: puzzle.text)) == .malformed)
    }

    @Test func `an endless answer is not looked at`() {
        #expect(Sample.flaw(String(repeating: "A", count: 100_000)) == .malformed)
    }

    @Test func `numbers are drawn evenly over all of the puzzle`() throws {
        let numbers = (0..<400).compactMap { _ in
            Sample.number(of: Sample.puzzle(limit: 100, entropy: SecureRandom.bytes(24)))
        }
        #expect(numbers.count == 400)
        for quarter in 0..<4 {
            let count = numbers.count { Int($0) / 25 == quarter }
            #expect((55...150).contains(count), "\(count) in quarter \(quarter)")
        }
    }

    @Test func `the solver's hash is SHA-256`() {
        for _ in 0..<50 {
            let message = SecureRandom.bytes(32)
            let words = PuzzleSolver.digest(
                PuzzleSolver.words(Array(message.prefix(28))),
                PuzzleSolver.words(Array(message.suffix(4)))[0]
            )
            #expect(words == PuzzleSolver.words(SHA256.digest(message)))
        }
    }

    @Test func `a solver says when there is nothing to find`() {
        var solver = PuzzleSolver(prefix: Sample.puzzle().prefix, target: [UInt8](repeating: 1, count: 32), limit: 100)
        #expect(solver?.solve() == nil)
        #expect(solver != nil)
        #expect(PuzzleSolver(prefix: [1], target: [UInt8](repeating: 1, count: 32), limit: 1) == nil)
        #expect(PuzzleSolver(prefix: [UInt8](repeating: 1, count: 28), target: [1], limit: 1) == nil)
    }
}

struct SealTests {
    @Test func `fields that are cut elsewhere have other bytes`() {
        func bytes(_ fields: [String]) -> [UInt8] {
            var sealed = SealedFields(purpose: "p")
            for field in fields { sealed.add(Array(field.utf8)) }
            return sealed.bytes
        }
        let ways = [["ab", "c"], ["a", "bc"], ["abc"], ["abc", ""], ["", "abc"], ["a", "b", "c"]].map(bytes)
        #expect(Set(ways).count == ways.count)
    }

    @Test func `a puzzle and a ticket are never taken for one another`() throws {
        let puzzle = Sample.puzzle()
        let ticket = Sample.ticket()
        #expect(Sample.flaw(puzzle.text) == .malformed)
        #expect(Sample.flaw("\(ticket.text).0") == .malformed)
    }
}
