// What this gateway gave out of late: a store that lost its latest writes is told of it again.
import Fairness
import Queueing
import Synchronization

package final class RoomMemory: Sendable {
    struct Grant: Sendable {
        var number: UInt64
        var passID: String
        var expiresAtMS: Int64
        var endsAtMS: Int64
        var grantedAtMS: Int64
    }

    /// Joins older than this, counted from the newest one, are in the store's file.
    static let joinsKept: Duration = .seconds(5)
    static let joinsMax = 131_072
    /// Grants are kept to the end of their pass.
    static let grantsMax = 65_536

    private struct Joins {
        var numbers: [UInt64]
        /// One after the other, 24 bytes each.
        var entries: [UInt8]
        var at: Moment
    }

    private struct Rings {
        var joins: [Joins] = []
        var joinCount = 0
        var highest: UInt64 = 0
        var grants: [Grant] = []
    }

    private let rings = Mutex<[RoomName: Rings]>([:])

    package init() {}

    /// `entries` stand one after the other, in the order of their numbers.
    func note(joins numbers: [UInt64], entries: [UInt8], at now: Moment, in room: RoomName) {
        guard let last = numbers.max() else { return }
        rings.withLock { rings in
            var ring = rings[room] ?? Rings()
            rings[room] = nil
            ring.joins.append(Joins(numbers: numbers, entries: entries, at: now))
            ring.joinCount += numbers.count
            ring.highest = max(ring.highest, last)
            let old = ring.joins.prefix { now - $0.at > Self.joinsKept }.count
            if old > 0 {
                ring.joinCount -= ring.joins[..<old].reduce(0) { $0 + $1.numbers.count }
                ring.joins.removeFirst(old)
            }
            while ring.joinCount > Self.joinsMax { ring.joinCount -= ring.joins.removeFirst().numbers.count }
            rings[room] = ring
        }
    }

    func note(_ grant: Grant, in room: RoomName) {
        rings.withLock { rings in
            var ring = rings[room] ?? Rings()
            rings[room] = nil
            if ring.grants.count >= Self.grantsMax {
                ring.grants.removeAll { $0.endsAtMS <= grant.grantedAtMS }
                if ring.grants.count >= Self.grantsMax { ring.grants.removeFirst(ring.grants.count / 2) }
            }
            ring.grants.append(grant)
            rings[room] = ring
        }
    }

    func grants(of room: RoomName) -> [Grant] { rings.withLock { $0[room]?.grants ?? [] } }

    func highest(of room: RoomName) -> UInt64 { rings.withLock { $0[room]?.highest ?? 0 } }

    func joins(of room: RoomName) -> [(number: UInt64, entry: [UInt8])] {
        rings.withLock { rings in
            (rings[room]?.joins ?? []).flatMap { joins in
                joins.numbers.enumerated().map { index, number in
                    let start = index * ArrivalEntry.length
                    return (number: number, entry: Array(joins.entries[start..<(start + ArrivalEntry.length)]))
                }
            }
        }
    }
}
