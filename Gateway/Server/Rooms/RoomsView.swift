// Everything the handlers of a gateway know without asking anybody: one immutable value, swapped in on each event loop.
package import QueueTokens
package import Queueing

package struct RoomsView: Sendable {
    package var rooms: [String: RoomView] = [:]
    /// Session id → room that protects it.
    package var protecting: [String: String] = [:]
    package var access = AccessLists()
    /// Rooms that are known here and gone from the store, by name.
    package var forgotten: [String] = []
    /// Rooms whose ranks are not what they should be, and why: nobody is served there.
    package var misranked: [String: String] = [:]
    /// Keys of booking that account tokens are checked with.
    package var accountKeys = KeySet()
    /// Keys of the issuer of entry tickets; nil while none were read.
    package var entryKeys: IssuerKeys?
    /// Redis' clock minus ours, in milliseconds.
    package var clockOffsetMS: Int64 = 0
    /// Whether any pull has ever succeeded.
    package var isKnown = false

    package init() {}

    /// Redis' time, as far as this gateway knows it.
    package func now() -> Moment {
        time(WallClock.now())
    }

    /// The same, of a reading of the gateway's own clock.
    package func time(_ clock: Moment) -> Moment {
        Moment(milliseconds: clock.milliseconds + clockOffsetMS)
    }

    /// For the readiness page.
    var misrankedRooms: String? {
        misranked.isEmpty ? nil : misranked.sorted { $0.key < $1.key }.map { "\($0): \($1)" }.joined(separator: "; ")
    }

    package mutating func set(_ rooms: [RoomView]) {
        self.rooms = Dictionary(rooms.map { ($0.name.text, $0) }) { first, _ in first }
        protecting = [:]
        // Two rooms may name one session; the first by name holds it, so that all gateways agree.
        for room in rooms.sorted(by: { $0.name.text < $1.name.text }) {
            for session in room.snapshot.policy.protectedSessions where protecting[session] == nil {
                protecting[session] = room.name.text
            }
        }
    }

    /// The session a path belongs to, if it is one of those a room can protect: `/sessions/{id}` and
    /// `/v1/sessions/{id}/seats`, `/holds`, `/orders`, and what is below them.
    package static func session(ofPath path: Substring) -> Substring? {
        let parts = path.split(separator: "/", maxSplits: 4, omittingEmptySubsequences: true)
        if parts.count >= 2, parts[0] == "sessions" { return parts[1] }
        guard parts.count >= 4, parts[0] == "v1", parts[1] == "sessions" else { return nil }
        switch parts[3] {
        case "seats", "holds", "orders": return parts[2]
        default: return nil
        }
    }
}
