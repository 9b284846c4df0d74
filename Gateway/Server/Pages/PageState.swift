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
    case waiting(Waiting)
    /// A place whose rank is not known yet.
    case assigning(number: UInt64, Assigning, pollAfter: Int)
    case called(Called)
    case paused
    case soldOut
    case forfeited
    /// Its account has the place on another device.
    case moved
    case closed
    /// Something that may work again soon: too many requests, a store that is away.
    case tryLater(title: String)
    case refused(title: String)

    package struct Waiting: Equatable {
        package var number: UInt64
        package var rank: UInt64?
        package var ahead: UInt64
        package var minutes: Int?
        package var pollAfter: Int
        package var isPaused: Bool
        /// There will hardly be a seat left for this place.
        package var isUnlikely: Bool
        package var isLottery: Bool
    }

    /// What has to happen before a place has a rank.
    package enum Assigning: Equatable {
        /// The draw is not before the sale opens.
        case open
        /// The list is closed; the draw waits for its random number.
        case sealed
        /// Drawn, or among places that came together, and this gateway learns of it at once.
        case soon
    }

    package struct Called: Equatable {
        package var number: UInt64
        package var isLate = false
        /// Nil for who asked in time and is next, and for who was in already.
        package var deadline: String?
        package var extensionsLeft: Int?
    }

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
        let pollAfter = max(2, Int(place.poll.afterS.rounded(.up)))
        switch (place.place.state, notice.condition) {
        // Who was let in may come back for the same pass, whatever has become of the room since.
        case (.admitted, _): self = .called(Called(number: place.place.number))
        case (_, .soldOut): self = .soldOut
        case (_, .closed): self = .closed
        case (.called, _): self = .called(Called(place, isLate: false))
        case (.parked, _): self = .called(Called(place, isLate: true))
        case (.forfeited, _): self = .forfeited
        case (.assigning, _):
            self = .assigning(number: place.place.number, Assigning(place), pollAfter: pollAfter)
        case (.waiting, let condition):
            self = .waiting(Waiting(place, pollAfter: pollAfter, isPaused: condition == .paused))
        }
    }

    package init(_ problem: ProblemCode) {
        self =
            switch problem {
            case .soldOut, .saleEnded: .soldOut
            case .placeForfeited: .forfeited
            case .placeMoved: .moved
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
        case .assigning: "assigning"
        case .called: "called"
        case .paused: "paused"
        case .soldOut: "sold-out"
        case .forfeited: "forfeited"
        case .moved: "moved"
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
        case .waiting(let waiting): waiting.isPaused ? "The line is paused" : "You are in line"
        case .assigning(_, .open, _): "You are in the draw"
        case .assigning(_, .sealed, _): "The list is closed"
        case .assigning(_, .soon, _): "You are in line"
        case .called: "It is your turn"
        case .paused: "The line is paused"
        case .soldOut: "Sold out"
        case .forfeited: "Your turn has passed"
        case .moved: "Your place is on another device"
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
        case .waiting(let waiting):
            waiting.isPaused
                ? "Your place is kept. We go on as soon as we can."
                : "Keep this page open. Your place is kept, even if you close the window for a while."
        case .assigning(_, let step, _): step.text
        case .called(let called):
            called.isLate
                ? "You were called a while ago. Go in now, before your turn passes."
                : "Go in now: your turn lasts a short while only."
        case .paused: "Nobody is let in right now. We go on as soon as we can."
        case .soldOut: "All seats are taken, and nobody has one left to give back. Thank you for waiting."
        case .forfeited: "You were called and did not come in time, so others went before you."
        case .moved: "Your account has taken it there. Sign in here and join to have it here as well."
        case .closed: "Nobody is let in any more."
        case .tryLater(let title), .refused(let title): title + "."
        }
    }

    /// Seconds after which a browser without script loads the page again; nil when nothing more will change.
    package var refreshSeconds: Int? {
        switch self {
        case .waiting(let waiting): max(5, waiting.pollAfter)
        case .assigning(_, _, let pollAfter): max(5, pollAfter)
        case .called: 30
        case .notYetOpen, .paused: 20
        case .tryLater: 10
        case .mayJoin, .mayJoinAgain, .holdOn, .soldOut, .forfeited, .moved, .closed, .refused: nil
        }
    }
}

extension PageState {
    /// What the template shows of a place.
    func fill(_ values: inout [String: String]) {
        switch self {
        case .waiting(let waiting):
            values["number"] = String(waiting.number)
            values["ahead"] = String(waiting.ahead)
            values["minutes"] = waiting.minutes.map(String.init)
            values["poll"] = String(waiting.pollAfter)
            if waiting.rank != waiting.number { values["rank"] = waiting.rank.map(String.init) }
            if waiting.isLottery { values["draw"] = "The draw gave you this rank. Anybody can check it." }
            if waiting.isUnlikely {
                values["unlikely"] =
                    "Seats will probably be gone before it is your turn. You may stay; we tell you when none is left."
            }
        case .assigning(let number, let step, let pollAfter):
            values["number"] = String(number)
            values["poll"] = String(pollAfter)
            if step != .soon { values["draw"] = "The draw can be checked by anybody afterwards." }
        case .called(let called):
            values["claim"] = ""
            values["number"] = String(called.number)
            values["deadline"] = called.deadline
            if let left = called.extensionsLeft, left > 0 { values["extensions"] = String(left) }
        default: break
        }
    }
}

extension PageState.Waiting {
    init(_ place: PlaceReply, pollAfter: Int, isPaused: Bool) {
        self.init(
            number: place.place.number,
            rank: place.place.rank,
            ahead: place.place.ahead ?? 0,
            minutes: place.eta.p50S.map { max(1, ($0 + 59) / 60) },
            pollAfter: pollAfter,
            isPaused: isPaused,
            isUnlikely: place.outlook == "unlikely",
            isLottery: place.policy.method == "lottery"
        )
    }
}

extension PageState.Called {
    init(_ place: PlaceReply, isLate: Bool) {
        self.init(
            number: place.place.number,
            isLate: isLate,
            deadline: place.claim.deadline,
            extensionsLeft: place.claim.extensionsLeft
        )
    }
}

extension PageState.Assigning {
    init(_ place: PlaceReply) {
        guard place.policy.method == "lottery" else {
            self = .soon
            return
        }
        self = place.phase == "prequeue" ? .open : place.phase == "sealed" ? .sealed : .soon
    }

    var text: String {
        switch self {
        case .open:
            "Everybody who is here before the sale opens takes part in a draw. When you came makes no difference."
        case .sealed:
            "Nobody can join the draw or leave it any more. It uses a random number that was named in advance and that"
                + " nobody can know before its time."
        case .soon: "You came together with others. The order among you is being drawn; this takes a moment."
        }
    }
}
