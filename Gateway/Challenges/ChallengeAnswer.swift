// One door for every answer a gateway can check by itself: a solved puzzle or a wait that is over.

/// Proof that an answer was checked; only `ChallengeAnswer.check` makes one.
package struct PassedChallenge: Sendable, Equatable {
    package enum Way: String, Sendable, CaseIterable {
        case puzzle = "pow"
        case wait
    }

    package let way: Way
    /// 16 bytes that name the challenge; whoever lets somebody in for it marks it as spent in the same step.
    package let id: [UInt8]
    package let expiresAtMS: Int64

    fileprivate init(way: Way, id: [UInt8], expiresAtMS: Int64) {
        self.way = way
        self.id = id
        self.expiresAtMS = expiresAtMS
    }
}

package enum ChallengeFlaw: Error, Sendable, Hashable {
    /// Not the form of an answer.
    case malformed
    /// Altered, of another room, action or visitor, or of another key.
    case wrongSeal
    case expired
    /// The wait is not over.
    case early(untilMS: Int64)
    /// Not the number that was asked for.
    case wrongNumber
}

package enum ChallengeAnswer {
    package static let bytesMax = 256

    /// `<puzzle>.<number>` or `<wait ticket>`. One HMAC, and for a puzzle one hash; the hash is compared with the
    /// target that is under the seal.
    package static func check(
        _ answer: some StringProtocol,
        for scope: ChallengeScope,
        key: ChallengeKey,
        atMS now: Int64
    ) throws(ChallengeFlaw) -> PassedChallenge {
        guard answer.utf8.count <= bytesMax else { throw .malformed }
        let parts = answer.split(separator: ".", omittingEmptySubsequences: false)
        switch parts.count {
        case 2:
            guard let number = number(parts[1]) else { throw .malformed }
            let puzzle = try Puzzle(String(parts[0]), sealedFor: scope, key: key)
            guard now < puzzle.expiresAtMS else { throw .expired }
            guard puzzle.isSolved(by: number) else { throw .wrongNumber }
            return PassedChallenge(way: .puzzle, id: puzzle.nonce, expiresAtMS: puzzle.expiresAtMS)
        case 1:
            let ticket = try WaitTicket(String(parts[0]), sealedFor: scope, key: key)
            guard now < ticket.expiresAtMS else { throw .expired }
            guard now >= ticket.opensAtMS else { throw .early(untilMS: ticket.opensAtMS) }
            return PassedChallenge(way: .wait, id: ticket.nonce, expiresAtMS: ticket.expiresAtMS)
        default:
            throw .malformed
        }
    }

    /// Digits without a sign or a leading zero: one text for one number.
    private static func number(_ text: some StringProtocol) -> UInt32? {
        let digits = text.utf8
        guard (1...10).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
            digits.count == 1 || digits.first != 0x30
        else { return nil }
        return UInt32(text)
    }
}
