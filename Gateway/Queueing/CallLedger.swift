/// Who was called when, who came, and whose time is over: what the functions `lead`, `advance` and `claim` of `rooms.lua`
/// keep in Redis, as a value. The simulator runs it, and a test holds both against each other.
package struct CallLedger: Sendable {
    package struct Move: Sendable, Equatable {
        /// The highest rank this move called.
        package var upTo: UInt64
        package var at: Moment
        package var called: Int
        /// How many of them were near: the others are not waited for.
        package var present: Int
        /// Passes granted to them inside their window.
        package var claims = 0
    }

    /// What the controller needs to know of a step.
    package struct Tally: Sendable, Equatable {
        package var decidedCalls = 0
        package var decidedClaims = 0
        package var undecided = 0
    }

    package static let movesMax = 4096
    package static let turnedUpMax = 10_000
    package static let presentFor: Duration = .seconds(90)

    package private(set) var cursor: UInt64 = 0
    package private(set) var moves: [Move] = []
    /// Windows of ranks up to here have ended.
    package private(set) var decidedThrough: UInt64 = 0
    /// Graces of ranks up to here have ended, and their moves are forgotten.
    package private(set) var forfeitedThrough: UInt64 = 0
    /// Rank and last try of those who asked in time and found no room.
    package private(set) var turnedUp: [UInt64: Moment] = [:]

    package init() {}

    /// When the rank was called; nil when it was not, or its move is forgotten.
    package func move(of rank: UInt64) -> Move? {
        moveIndex(of: rank).map { moves[$0] }
    }

    private func moveIndex(of rank: UInt64) -> Int? {
        var low = 0
        var high = moves.count
        while low < high {
            let middle = (low + high) / 2
            if moves[middle].upTo < rank { low = middle + 1 } else { high = middle }
        }
        return low < moves.count ? low : nil
    }

    /// Moves the cursor, never back and never beyond the last rank; `present` of those it passes were near.
    package mutating func advance(to wanted: UInt64, last: UInt64, present: Int, at now: Moment) {
        let wanted = min(wanted, last)
        guard wanted > cursor else { return }
        moves.append(Move(upTo: wanted, at: now, called: Int(wanted - cursor), present: present))
        cursor = wanted
    }

    /// Closes the windows and graces that have ended, and counts. Not while the room stands still.
    package mutating func settle(_ window: ClaimWindow, at now: Moment) -> Tally {
        let silence = max(Self.presentFor, window.window)
        if turnedUp.values.contains(where: { $0 <= now - silence }) {
            turnedUp = turnedUp.filter { $0.value > now - silence }
        }
        var tally = Tally()
        var forgotten = 0
        let decidedBefore = decidedThrough
        for (index, move) in moves.enumerated() {
            if now >= move.at + window.window, move.upTo > decidedThrough {
                tally.decidedCalls += move.called
                tally.decidedClaims += move.claims
                decidedThrough = move.upTo
            } else if move.upTo > decidedThrough {
                tally.undecided += max(0, move.present - move.claims)
            }
            if now >= move.at + window.whole {
                forfeitedThrough = move.upTo
                forgotten = index + 1
            } else if moves.count - index - 1 >= Self.movesMax {
                // Too many moves: these places take the later deadline of the next one.
                forgotten = index + 1
            }
        }
        if forgotten > 0 { moves.removeFirst(forgotten) }
        for rank in turnedUp.keys where rank <= decidedThrough {
            // Those who turned up in an open window are counted there already.
            tally.undecided += 1
            // Who asked and found no room came: no no-show.
            if rank > decidedBefore { tally.decidedClaims += 1 }
        }
        return tally
    }

    /// While the room stood still nobody could claim: every open deadline moves by that time.
    package mutating func goOn(_ window: ClaimWindow, stoodSince since: Moment, at now: Moment) {
        for index in moves.indices where moves[index].at + window.whole > since {
            let at = moves[index].at
            moves[index].at = at + (now - max(at, since))
        }
    }
}

extension CallLedger {
    package enum Held: Sendable, Equatable {
        case nothing, live, ended, left
    }

    /// What a claim is decided by, besides the ledger.
    package struct Room: Sendable {
        package var phase: Phase
        /// Nobody is called and nobody can claim: an admin wants it so, or the shop does not answer.
        package var isStanding: Bool
        package var isSoldOut: Bool
        package var admission: RoomPolicy.Admission
        package var window: ClaimWindow

        package init(
            phase: Phase,
            isStanding: Bool = false,
            isSoldOut: Bool = false,
            admission: RoomPolicy.Admission,
            window: ClaimWindow
        ) {
            self.phase = phase
            self.isStanding = isStanding
            self.isSoldOut = isSoldOut
            self.admission = admission
            self.window = window
        }
    }

    package enum Answer: Sendable, Equatable {
        case granted(isNew: Bool)
        /// Ask again after so many milliseconds.
        case notNow(Reason, milliseconds: Int64)
        case never(Refusal)
    }

    package enum Reason: String, Sendable {
        case notCalled = "not_called"
        case paused
        case notOpen = "not_open"
        case pace, cap
    }

    package enum Refusal: String, Sendable {
        case late, left, used, closed
        case soldOut = "sold_out"
    }

    package static let waitWhenFull: Int64 = 2000
    package static let waitUntilCalled: Int64 = 1000

    /// One claim, decided as `claim` of `rooms.lua` decides it: called, in time, and room under pace and cap.
    package mutating func claim(
        _ rank: UInt64,
        in room: Room,
        holding held: Held,
        livePasses: Int,
        pace: inout GrantPace,
        atMicroseconds microseconds: Int64
    ) -> Answer {
        let now = Moment(milliseconds: microseconds / 1000)
        switch held {
        case .left: return .never(.left)
        case .live: return .granted(isNew: false)
        case .ended: return .never(.used)
        case .nothing: break
        }
        if let answer = refusal(rank, in: room, at: now) { return answer }
        var wait = Self.waitWhenFull
        var reason = Reason.cap
        if livePasses < room.admission.activeMax {
            reason = .pace
            wait = pace.take(
                perMinute: room.admission.perMinute,
                burst: room.admission.burstAllowed,
                atMicroseconds: microseconds
            )
        }
        guard wait == 0 else {
            // It came in time: from now on it is never too late, as long as it keeps asking.
            if turnedUp[rank] != nil || turnedUp.count < Self.turnedUpMax { turnedUp[rank] = now }
            return .notNow(reason, milliseconds: wait)
        }
        turnedUp[rank] = nil
        if let index = moveIndex(of: rank), moves[index].upTo > decidedThrough { moves[index].claims += 1 }
        return .granted(isNew: true)
    }

    private func refusal(_ rank: UInt64, in room: Room, at now: Moment) -> Answer? {
        if room.phase == .closed { return .never(.closed) }
        if room.isSoldOut { return .never(.soldOut) }
        guard room.phase.callsPeople else { return .notNow(.notOpen, milliseconds: Self.waitWhenFull) }
        if room.isStanding { return .notNow(.paused, milliseconds: Self.waitWhenFull) }
        guard rank <= cursor else { return .notNow(.notCalled, milliseconds: Self.waitUntilCalled) }
        guard turnedUp[rank] == nil else { return nil }
        guard rank > forfeitedThrough, let move = move(of: rank), now < move.at + room.window.whole else {
            return .never(.late)
        }
        return nil
    }

    /// A place given up no longer counts as turned up.
    package mutating func leave(_ rank: UInt64) { turnedUp[rank] = nil }
}
