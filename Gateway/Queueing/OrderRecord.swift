/// What is known of the order of a room beyond its numbers: seal, ties, draw, and numbers nobody holds.
package struct OrderRecord: Sendable, Equatable {
    /// A closed tie window with two or more places.
    package struct Tie: Sendable, Hashable {
        package var first: UInt64
        package var count: UInt64

        package init(first: UInt64, count: UInt64) {
            self.first = first
            self.count = count
        }
    }

    /// A round of the beacon that was named before its time.
    package struct NamedRound: Sendable, Hashable {
        package var round: UInt64
        package var at: Moment

        package init(round: UInt64, at: Moment) {
            self.round = round
            self.at = at
        }
    }

    /// Of the room alone; outside it is told by `revealedSecret(in:)` only.
    package var secret: [UInt8]
    /// Published from the beginning.
    package var commitment: [UInt8]
    /// Ranks of numbers up to here are given for good, in rooms with ties or a draw.
    package var rankedThrough: UInt64
    /// How many had joined at the seal; nil before it.
    package var cohort: UInt64?
    package var sealedAt: Moment?
    package var ties: [Tie]
    /// JSON, once the draw is done.
    package var draw: String?
    package var rounds: [NamedRound]
    /// Numbers nobody holds, skipped after a loss of the store; rising.
    package var voids: [ClosedRange<UInt64>]

    package init(
        secret: [UInt8] = [],
        commitment: [UInt8] = [],
        rankedThrough: UInt64 = 0,
        cohort: UInt64? = nil,
        sealedAt: Moment? = nil,
        ties: [Tie] = [],
        draw: String? = nil,
        rounds: [NamedRound] = [],
        voids: [ClosedRange<UInt64>] = []
    ) {
        self.secret = secret
        self.commitment = commitment
        self.rankedThrough = rankedThrough
        self.cohort = cohort
        self.sealedAt = sealedAt
        self.ties = ties
        self.draw = draw
        self.rounds = rounds
        self.voids = voids
    }
}

extension RoomSnapshot {
    /// The secret once it decides nothing more: ties may come until the room takes nobody, a draw is over when it is made.
    package var revealedSecret: [UInt8]? {
        guard !order.secret.isEmpty else { return nil }
        let isOver: Bool =
            switch policy.order {
            case .firstCome: phase == .closed
            case .lottery: order.draw != nil || phase == .closed
            }
        return isOver ? order.secret : nil
    }
}
