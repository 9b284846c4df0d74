// What Redis holds of a session's seats.

package import Ordering

package struct SeatFacts: Sendable {
    package struct Hold: Sendable, Equatable {
        package var state: Ordering.Hold.State
        package var account: AccountID
        package var order: OrderID?
        package var seats: [SeatNumber]

        package init(state: Ordering.Hold.State, account: AccountID, order: OrderID?, seats: [SeatNumber]) {
            self.state = state
            self.account = account
            self.order = order
            self.seats = seats
        }
    }

    package var session: SessionID
    package var epoch: Int64
    /// One letter per seat number: `F`, `H`, `S`, `B`.
    package var letters: [UInt8]
    /// The hold that has a seat of letter `H` or had it when it was sold.
    package var owners: [SeatNumber: HoldID] = [:]
    package var holds: [HoldID: Hold] = [:]
    package var counts: SeatCounts
    /// Seats held, pending and sold.
    package var buyers: [AccountID: Int] = [:]
    /// Values that could not be read, in words.
    package var unreadable: [String] = []

    package init(session: SessionID, epoch: Int64, letters: [UInt8], counts: SeatCounts) {
        self.session = session
        self.epoch = epoch
        self.letters = letters
        self.counts = counts
    }
}
