import Ordering
import UsherAPI

/// Holds as buyers see them.
struct HoldReplies: Sendable {
    let catalogue: CatalogueCache
    let clock: Clock

    func reply(for hold: Hold, requested: Int? = nil) -> HoldReply {
        let layout = catalogue.layout(hold.session)
        return HoldReply(
            id: "\(hold.id)",
            sessionID: "\(hold.session)",
            groups: layout.map { layout in layout.groups(of: hold.seats).map { $0.map(layout.name(of:)) } } ?? [],
            requested: requested,
            state: hold.state.rawValue,
            expiresAt: hold.deadline.text,
            secondsLeft: Int(max(0, (hold.deadline - clock.now()).milliseconds / 1000))
        )
    }
}
