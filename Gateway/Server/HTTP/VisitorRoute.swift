import EdgeHTTP

/// The map of the visitors' port.
package enum VisitorRoute: Equatable {
    /// `/v1/rooms/…` and the key set: answered by the rooms.
    case rooms
    /// A file of the waiting page.
    case asset(String)
    /// A form of the waiting page, for browsers without script.
    case form(room: String, action: String)
    /// Never reachable from here, whatever is behind.
    case hidden
    /// Booking's, perhaps protected by a room.
    case shop

    package init(path: UnsafeRawBufferPointer) {
        // What most requests ask for.
        self = path.hasPrefix("/v1/rooms/") ? .rooms : Self.named(String(decoding: path, as: UTF8.self)[...])
    }

    private static func named(_ path: Substring) -> VisitorRoute {
        let parts = path.split(separator: "/", maxSplits: 5)
        return switch (parts.first?.lowercased(), parts.dropFirst().first?.lowercased()) {
        case ("v1", "rooms"): .rooms
        case (".well-known", "jwks.json"): .rooms
        case ("usher", "rooms"):
            parts.count == 4 ? .form(room: String(parts[2]), action: String(parts[3])) : .hidden
        case ("usher", let name?): parts.count == 2 ? .asset(name) : .hidden
        case ("internal", _), ("admin", _), ("v1", "admin"): .hidden
        case ("healthz", _), ("readyz", _), ("metrics", _): .hidden
        default: .shop
        }
    }
}
