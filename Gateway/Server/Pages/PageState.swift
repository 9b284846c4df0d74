// What the waiting page says: one case for each thing a visitor can be told, with its words.
package import UsherAPI

package enum PageState: Equatable {
    case notYetOpen
    /// No place yet; a form or the script takes one.
    case mayJoin
    /// What was shown for the room's challenge was not good; there is a new one.
    case mayJoinAgain
    /// The way without work is not over; the same form works later.
    case holdOn(seconds: Int)
    case waiting(number: UInt64, ahead: UInt64, minutes: Int?, pollAfter: Int, isPaused: Bool)
    case called(number: UInt64, isLate: Bool)
    case paused
    case soldOut
    case forfeited
    case closed
    /// Something that may work again soon: too many requests, a store that is away.
    case tryLater(title: String)
    case refused(title: String)

    package init(_ notice: RoomNotice) {
        self =
            switch notice.condition {
            case .notYetOpen: .notYetOpen
            case .open: .mayJoin
            case .paused: .paused
            case .soldOut: .soldOut
            case .closed: .closed
            }
    }

    package init(_ place: PlaceReply, notice: RoomNotice) {
        switch (place.place.state, notice.condition) {
        // Who was let in may come back for the same pass, whatever has become of the room since.
        case (.admitted, _): self = .called(number: place.place.number, isLate: false)
        case (_, .soldOut): self = .soldOut
        case (_, .closed): self = .closed
        case (.called, _): self = .called(number: place.place.number, isLate: false)
        case (.parked, _): self = .called(number: place.place.number, isLate: true)
        case (.forfeited, _): self = .forfeited
        case (.waiting, let condition):
            self = .waiting(
                number: place.place.number,
                ahead: place.place.ahead,
                minutes: place.eta.p50S.map { max(1, ($0 + 59) / 60) },
                pollAfter: max(2, Int(place.poll.afterS.rounded(.up))),
                isPaused: condition == .paused
            )
        }
    }

    package init(_ problem: ProblemCode) {
        self =
            switch problem {
            case .soldOut, .saleEnded: .soldOut
            case .placeForfeited: .forfeited
            case .roomNotOpen, .saleNotOpen: .notYetOpen
            case .roomClosed: .closed
            case .challengeRequired, .challengeFailed, .challengeExpired, .challengeSpent: .mayJoinAgain
            case let code where code.isRetryable: .tryLater(title: code.title)
            case let code: .refused(title: code.title)
            }
    }

    /// For the script and the style sheet.
    package var name: String {
        switch self {
        case .notYetOpen: "not-yet-open"
        case .mayJoin: "join"
        case .mayJoinAgain: "join-again"
        case .holdOn: "hold-on"
        case .waiting: "waiting"
        case .called: "called"
        case .paused: "paused"
        case .soldOut: "sold-out"
        case .forfeited: "forfeited"
        case .closed: "closed"
        case .tryLater: "try-later"
        case .refused: "refused"
        }
    }

    package var heading: String {
        switch self {
        case .notYetOpen: "The sale has not opened yet"
        case .mayJoin: "Many people want in at once"
        case .mayJoinAgain: "Once more, please"
        case .holdOn: "A little later, please"
        case .waiting(_, _, _, _, let isPaused): isPaused ? "The line is paused" : "You are in line"
        case .called: "It is your turn"
        case .paused: "The line is paused"
        case .soldOut: "Sold out"
        case .forfeited: "Your turn has passed"
        case .closed: "The sale is over"
        case .tryLater: "One moment, please"
        case .refused: "This did not work"
        }
    }

    package var text: String {
        switch self {
        case .notYetOpen: "This page tells you when it does. You need not reload it."
        case .mayJoin: "Take a place in line. Your place is kept for you, in the order in which people came."
        case .mayJoinAgain: "We could not take your place like this, or it took too long. Please try again."
        case .holdOn(let seconds): "Wait \(seconds) more seconds, then press the button."
        case .waiting(_, _, _, _, let isPaused):
            isPaused
                ? "Your place is kept. We go on as soon as we can."
                : "Keep this page open. Your place is kept, even if you close the window for a while."
        case .called(_, let isLate):
            isLate
                ? "You were called a while ago. Go in now, before your turn passes."
                : "Go in now: your turn lasts a short while only."
        case .paused: "Nobody is let in right now. We go on as soon as we can."
        case .soldOut: "All seats are taken, and nobody has one left to give back. Thank you for waiting."
        case .forfeited: "You were called and did not come in time, so others went before you."
        case .closed: "Nobody is let in any more."
        case .tryLater(let title), .refused(let title): title + "."
        }
    }

    /// Seconds after which a browser without script loads the page again; nil when nothing more will change.
    package var refreshSeconds: Int? {
        switch self {
        case .waiting(_, _, _, let pollAfter, _): max(5, pollAfter)
        case .called: 30
        case .notYetOpen, .paused: 20
        case .tryLater: 10
        case .mayJoin, .mayJoinAgain, .holdOn, .soldOut, .forfeited, .closed, .refused: nil
        }
    }
}
