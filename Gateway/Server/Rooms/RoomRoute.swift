import EdgeHTTP

/// What can be asked of a room, by path and method.
enum RoomRoute: Equatable {
    case join(room: Substring)
    case place(room: Substring)
    case claim(room: Substring)
    case leave(room: Substring)
    case extend(room: Substring)
    case recover(room: Substring)
    case snapshot(room: Substring)
    case challenge(room: Substring)
    case checkpoint(room: Substring)
    case inclusion(room: Substring)
    case consistency(room: Substring)
    case draw(room: Substring)
    case receipt(room: Substring)
    case audit(room: Substring)
    case auditSection(room: Substring, section: Substring)
    case keys

    enum Match: Equatable {
        case route(RoomRoute)
        case wrongMethod(allowed: String)
        case unknown
    }

    static func match(_ method: EdgeMethod, _ path: UnsafeRawBufferPointer) -> Match {
        guard path.hasPrefix("/v1/rooms/") else {
            return path.isEqual("/.well-known/jwks.json") ? get(method, .keys) : .unknown
        }
        let rest = UnsafeRawBufferPointer(rebasing: path["/v1/rooms/".utf8.count...])
        guard let slash = rest.firstIndex(of: UInt8(ascii: "/")) else { return .unknown }
        let room = String(decoding: rest[..<slash], as: UTF8.self)[...]
        let action = UnsafeRawBufferPointer(rebasing: rest[(slash + 1)...])
        if action.isEqual("place") { return get(method, .place(room: room)) }
        if action.isEqual("join") { return post(method, .join(room: room)) }
        if action.isEqual("claim") { return post(method, .claim(room: room)) }
        if action.isEqual("challenge") { return get(method, .challenge(room: room)) }
        if action.isEqual("snapshot") { return get(method, .snapshot(room: room)) }
        if action.isEqual("leave") { return post(method, .leave(room: room)) }
        if action.isEqual("extend") { return post(method, .extend(room: room)) }
        if action.isEqual("recover") { return post(method, .recover(room: room)) }
        return proof(of: room, action).map { get(method, $0) } ?? .unknown
    }

    /// What shows that the order is right.
    private static func proof(of room: Substring, _ action: UnsafeRawBufferPointer) -> RoomRoute? {
        if action.isEqual("log/proof") { return .inclusion(room: room) }
        if action.isEqual("log/checkpoint") { return .checkpoint(room: room) }
        if action.isEqual("log/consistency") { return .consistency(room: room) }
        if action.isEqual("draw") { return .draw(room: room) }
        if action.isEqual("receipt") { return .receipt(room: room) }
        if action.isEqual("audit") { return .audit(room: room) }
        guard action.hasPrefix("audit/") else { return nil }
        let section = String(decoding: action[("audit/".utf8.count)...], as: UTF8.self)
        return .auditSection(room: room, section: section[...])
    }

    private static func get(_ method: EdgeMethod, _ route: RoomRoute) -> Match {
        method == .get || method == .head ? .route(route) : .wrongMethod(allowed: "GET, HEAD")
    }

    private static func post(_ method: EdgeMethod, _ route: RoomRoute) -> Match {
        method == .post ? .route(route) : .wrongMethod(allowed: "POST")
    }
}
