// Numbers to ranks, as every gateway computes them from what the snapshot says: ties and the draw.
import Fairness
import Foundation
package import Queueing
import Signing

/// Four bytes for each number up to the last shuffled one, in rooms that shuffle; nothing in others.
package struct RoomRanks: Sendable {
    private var table = RankTable()
    private var tiesEntered = 0
    private var drawn: String?
    private var generation = 0
    private var epoch = 0

    package init() {}

    /// Enters what is new. A room that lost its memory is computed anew.
    package mutating func follow(_ room: RoomSnapshot) {
        if room.generation != generation || room.epoch != epoch || room.order.ties.count < tiesEntered {
            self = RoomRanks()
            (generation, epoch) = (room.generation, room.epoch)
        }
        for tie in room.order.ties.dropFirst(tiesEntered) {
            let seed = TieBreak.seed(
                secret: room.order.secret,
                room: room.name.text,
                first: tie.first,
                count: tie.count
            )
            table.append(RankBlock(first: tie.first, count: tie.count, seed: seed))
        }
        tiesEntered = room.order.ties.count
        if drawn == nil, let block = Self.drawnBlock(of: room) {
            drawn = room.order.draw
            table.append(block)
        }
    }

    /// The cohort as the published draw shuffled it; nil before the draw.
    static func drawnBlock(of room: RoomSnapshot) -> RankBlock? {
        room.order.draw.flatMap { Draw($0) }.map { RankBlock(first: 1, count: $0.count, seed: $0.seed) }
    }

    /// Nil while the number has no rank, or this gateway does not know it.
    package func rank(of number: UInt64, in room: RoomSnapshot) -> UInt64? {
        switch room.policy.order {
        case .firstCome:
            guard room.policy.tieWindowMS > 0 else { return number }
            return number <= room.order.rankedThrough ? table.rank(of: number) : nil
        case .lottery:
            guard let cohort = room.order.cohort else { return nil }
            guard number <= cohort else { return number }
            return drawn != nil && room.order.rankedThrough >= cohort ? table.rank(of: number) : nil
        }
    }

    /// What is needed of the published document.
    private struct Draw {
        var count: UInt64
        var seed: Digest

        private struct Document: Decodable {
            var count: UInt64
            var seed: String
        }

        init?(_ text: String) {
            guard let document = try? JSONDecoder().decode(Document.self, from: Data(text.utf8)),
                let seed = Hex.decode(document.seed).flatMap({ Digest($0) })
            else { return nil }
            count = document.count
            self.seed = seed
        }
    }
}
