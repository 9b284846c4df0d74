import EdgeHTTP

/// What can be asked of a room, by path and method.
enum RoomRoute: Equatable {
    case join(room: Substring)
    case place(room: Substring)
    case claim(room: Substring)
    case leave(room: Substring)
    case snapshot(room: Substring)
    case keys

    enum Match: Equatable {
        case route(RoomRoute)
        case wrongMethod(allowed: String)
        case unknown
    }

    static func match(_ method: EdgeMethod, _ path: Substring) -> Match {
        if path == "/.well-known/jwks.json" { return get(method, .keys) }
        let start = "/v1/rooms/"
        guard path.hasPrefix(start) else { return .unknown }
        let rest = path.dropFirst(start.count)
        guard let slash = rest.firstIndex(of: "/") else { return .unknown }
        let room = rest[..<slash]
        switch rest[rest.index(after: slash)...] {
        case "place": return get(method, .place(room: room))
        case "snapshot": return get(method, .snapshot(room: room))
        case "join": return post(method, .join(room: room))
        case "claim": return post(method, .claim(room: room))
        case "leave": return post(method, .leave(room: room))
        default: return .unknown
        }
    }

    private static func get(_ method: EdgeMethod, _ route: RoomRoute) -> Match {
        method == .get || method == .head ? .route(route) : .wrongMethod(allowed: "GET, HEAD")
    }

    private static func post(_ method: EdgeMethod, _ route: RoomRoute) -> Match {
        method == .post ? .route(route) : .wrongMethod(allowed: "POST")
    }
}
