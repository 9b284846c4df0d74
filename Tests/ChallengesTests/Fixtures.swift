import Signing

@testable import Challenges

/// One room, one visitor, one moment.
enum Sample {
    static let now: Int64 = 1_800_000_000_000
    static let tag = [UInt8](0..<16)
    static let scope = ChallengeScope(room: "sale", dedupeTag: tag)
    static let key = ChallengeKey(secret: [UInt8](repeating: 7, count: 32), room: "sale", generation: 1)

    static func puzzle(
        _ scope: ChallengeScope = scope,
        limit: UInt32 = 2000,
        lifetimeMS: Int64 = 120_000,
        entropy: [UInt8] = (0..<24).map { $0 &* 7 &+ 1 },
        key: ChallengeKey = key
    ) -> Puzzle {
        Puzzle(for: scope, limit: limit, lifetimeMS: lifetimeMS, atMS: now, entropy: entropy, key: key)
    }

    static func ticket(_ scope: ChallengeScope = scope, seconds: Int = 30) -> WaitTicket {
        WaitTicket(for: scope, seconds: seconds, atMS: now, entropy: [UInt8](repeating: 9, count: 16), key: key)
    }

    static func number(of puzzle: Puzzle) -> UInt32? {
        var solver = PuzzleSolver(prefix: puzzle.prefix, target: puzzle.target, limit: puzzle.limit)
        return solver?.solve()
    }

    static func flaw(
        _ answer: String,
        _ scope: ChallengeScope = scope,
        key: ChallengeKey = key,
        at time: Int64 = now + 1000
    ) -> ChallengeFlaw? {
        do throws(ChallengeFlaw) {
            _ = try ChallengeAnswer.check(answer, for: scope, key: key, atMS: time)
            return nil
        } catch {
            return error
        }
    }
}
