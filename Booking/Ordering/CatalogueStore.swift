/// A session to be created with all its seats.
package struct NewSession: Sendable {
    package var session: Session
    package var layout: SessionLayout

    package init(session: Session, layout: SessionLayout) {
        self.session = session
        self.layout = layout
    }
}

package protocol CatalogueStore: Sendable {
    func shows() async throws(StoreFailure) -> [Show]
    /// Every session, drafts included; the caller hides them.
    func sessions() async throws(StoreFailure) -> [Session]
    func layout(of session: SessionID) async throws(StoreFailure) -> SessionLayout
    /// Inserts a show with its sessions and their seats in one transaction.
    func insert(_ show: Show, sessions: [NewSession]) async throws(StoreFailure)
    func setRoom(_ room: String?, of session: SessionID) async throws(StoreFailure)
    func setPayWindow(_ window: Duration, of session: SessionID) async throws(StoreFailure)
    /// For orders made from now on.
    func setRefundTerms(_ terms: RefundTerms, of session: SessionID) async throws(StoreFailure)
    func setState(_ state: SessionState, of session: SessionID) async throws(StoreFailure)

    /// Raises the session's epoch by one, so that every hold of the old one is void, and reads layout and claims in the
    /// same transaction, under the session's advisory lock.
    func beginRebuild(of session: SessionID) async throws(StoreFailure) -> SessionInventory
    func claims(of session: SessionID) async throws(StoreFailure) -> [SessionInventory.Claim]

    /// Blocks those of the seats that nobody has; which ones.
    func block(_ action: SeatAction) async throws(StoreFailure) -> [SeatNumber]
    /// Gives those of the seats that are blocked back to the sale; which ones.
    func unblock(_ action: SeatAction) async throws(StoreFailure) -> [SeatNumber]
    /// What happened to a seat, the newest first.
    func history(of seat: SeatNumber, in session: SessionID, limit: Int) async throws(StoreFailure) -> [SeatEvent]

    /// A lease for work that only one process may do. `true` when `owner` has it until `lasting` from now.
    func lease(_ name: String, owner: String, lasting: Duration) async throws(StoreFailure) -> Bool
}
