// What a visitor does about an answer: the whole table, without I/O.
import UsherAPI

enum Step: String, Sendable, CaseIterable, Codable {
    case register, login, challenge, join, poll, claim, seats, hold, order, pay, settle, tickets
}

enum Answer: Sendable, Equatable {
    case reply(status: Int, code: ProblemCode?, retryAfter: Duration?)
    case lost
}

enum Reaction: Sendable, Equatable {
    case goOn
    case again(after: Duration)
    /// Nothing is left: the end the visitor was promised to be told.
    case soldOut
    /// These seats went to somebody else, or the hold or order on them ended.
    case pickAgain
    /// Fewer seats than wanted may be bought.
    case wantFewer
    /// Fewer seats than wanted are free.
    case fewerFree
    /// The pass ended; the place may still give another.
    case claimAgain
    case declined
    /// The room wants another answer to its challenge.
    case solveAgain
    /// Not among the answers a visitor of a working sale gets.
    case refused(String)
}

enum Reactions {
    /// Trouble in a row, on one step, before a visitor calls it an outage: about two minutes.
    static let troubleMax = 80
    static let backoffMax = Duration.seconds(2)

    /// `attempt` is 0 for the first answer to a request, then one more for each repetition.
    static func reaction(to answer: Answer, at step: Step, attempt: Int) -> Reaction {
        guard case .reply(let status, let code, let retryAfter) = answer else {
            return attempt < troubleMax ? .again(after: backoff(attempt)) : .refused("connection_lost")
        }
        if successes(of: step).contains(status) { return .goOn }
        if let code, let reaction = told(code, at: step) { return reaction }
        switch status {
        case 429, 502, 503, 504:
            guard attempt < troubleMax else { return .refused(name(status, code)) }
            return .again(after: retryAfter ?? backoff(attempt))
        default:
            return .refused(name(status, code))
        }
    }

    static func backoff(_ attempt: Int) -> Duration {
        min(.milliseconds(50) * (1 << min(attempt, 10)), backoffMax)
    }

    private static func successes(of step: Step) -> Set<Int> {
        switch step {
        case .register: [201]
        case .login, .challenge, .poll, .seats, .settle, .tickets: [200]
        case .join: [200, 201]
        case .claim: [200, 202]
        case .hold, .order: [200, 201]
        case .pay: [200, 201, 202]
        }
    }

    /// The refusals a sale is made of.
    private static func told(_ code: ProblemCode, at step: Step) -> Reaction? {
        switch (step, code) {
        case (_, .soldOut), (_, .saleEnded): .soldOut
        case (.register, .emailTaken): .goOn
        case (.join, .challengeRequired), (.join, .challengeExpired), (.join, .challengeSpent): .solveAgain
        case (.challenge, .roomNotOpen), (.join, .roomNotOpen), (.claim, .roomNotOpen), (.hold, .saleNotOpen),
            (.order, .saleNotOpen):
            .again(after: .seconds(1))
        case (_, .requestInProgress): .again(after: .milliseconds(200))
        case (.hold, .seatTaken), (.hold, .orphanSeat), (.order, .seatTaken), (.order, .holdExpired),
            (.order, .holdLost):
            .pickAgain
        case (.pay, .orderExpired): .pickAgain
        case (.hold, .keptForWaiting): .again(after: .seconds(1))
        case (.hold, .notEnoughSeats): .fewerFree
        case (.hold, .purchaseLimitExceeded), (.order, .purchaseLimitExceeded): .wantFewer
        case (.seats, .passRequired), (.hold, .passRequired), (.order, .passRequired): .claimAgain
        case (.seats, .passExpired), (.hold, .passExpired), (.order, .passExpired): .claimAgain
        case (.pay, .paymentDeclined): .declined
        // The order has moved on by itself: look at it.
        case (.pay, .orderStateConflict): .goOn
        default: nil
        }
    }

    private static func name(_ status: Int, _ code: ProblemCode?) -> String { code?.rawValue ?? "status_\(status)" }
}
