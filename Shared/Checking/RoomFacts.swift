// What Redis holds of a waiting room.

package struct RoomFacts: Sendable {
    /// What a room allows.
    package struct Allowance: Sendable, Equatable {
        package var perMinute: Int
        package var burst: Int
        package var activeMax: Int

        package init(perMinute: Int, burst: Int, activeMax: Int) {
            self.perMinute = perMinute
            self.burst = burst
            self.activeMax = activeMax
        }
    }

    /// An entry of the room's `grants` stream.
    package struct Entry: Sendable, Equatable {
        package enum Kind: Sendable, Equatable {
            case grant(pass: String, place: Int, expiry: Int64)
            case renew(pass: String, expiry: Int64)
            case end(pass: String)
            /// A pass the store had lost lives on.
            case restore(pass: String, place: Int, expiry: Int64)
            /// From here on another allowance is in force.
            case policy(Allowance)
        }

        /// Milliseconds since 1970, by Redis' clock.
        package var at: Int64
        package var kind: Kind

        package init(at: Int64, _ kind: Kind) {
            self.at = at
            self.kind = kind
        }
    }

    package var name: String
    /// The allowance now in force.
    package var allowance: Allowance
    /// Redis' clock when the facts were read.
    package var now: Int64
    /// The last number issued.
    package var number = 0
    package var cursor = 0
    /// The number of each dedupe tag.
    package var placesByTag: [Int] = []
    /// Bytes of the arrival log, and issued numbers whose leaf is empty.
    package var logBytes = 0
    package var emptyLeaves: Set<Int> = []
    /// Of the arrival log: dedupe tag and time.
    package static let entryBytes = 24
    /// Ranks in the order of calling, of numbers whose rank is another than the number.
    package var ranks: [Int: Int] = [:]
    /// The pass of each place that has claimed one.
    package var passes: [Int: String] = [:]
    /// Live passes and when they end.
    package var active: [String: Int64] = [:]
    package var entries: [Entry] = []
    /// Passes granted in the life of the room.
    package var granted = 0
    /// Values that could not be read, in words.
    package var unreadable: [String] = []

    package init(name: String, allowance: Allowance, now: Int64) {
        self.name = name
        self.allowance = allowance
        self.now = now
    }
}
