/// What a request costs and whom it may hurt: each class has limits of its own.
package enum RouteClass: UInt8, Sendable, CaseIterable {
    /// Takes a number: a join, its challenge, the page's form for it.
    case join
    /// Answered from memory: places, snapshots, key set, files of the waiting page.
    case poll
    /// Asks the store for a pass, or gives one back.
    case claim
    /// Goes on to booking, or stands before its protected paths.
    case api
    /// Everything on the admin port.
    case admin
    /// Costs a password hash or a signature check: signing in, and tokens that turn out bad.
    case auth

    package static let count = 6
    package var name: String { "\(self)" }
}

extension RouteClass {
    /// The class of a path of the visitors' port, without its query. Letters compare without case, so that no spelling
    /// leads a request past its limit.
    package init(path: Substring) {
        var path = path
        self = path.withUTF8 { RouteClass(path: UnsafeRawBufferPointer($0)) }
    }

    package init(path: UnsafeRawBufferPointer) {
        if Self.starts(path, with: "/v1/rooms/") || Self.starts(path, with: "/usher/rooms/") {
            self = Self.ofRoom(path)
        } else if Self.starts(path, with: "/v1/auth/") {
            self = .auth
        } else if Self.starts(path, with: "/usher/") || Self.starts(path, with: "/.well-known/") {
            self = .poll
        } else {
            self = .api
        }
    }

    /// By the last segment; a slash at the end does not count.
    private static func ofRoom(_ path: UnsafeRawBufferPointer) -> RouteClass {
        let slash = UInt8(ascii: "/")
        var end = path.count
        while end > 0, path[end - 1] == slash { end -= 1 }
        var start = end
        while start > 0, path[start - 1] != slash { start -= 1 }
        let action = UnsafeRawBufferPointer(rebasing: path[start..<end])
        if isEqual(action, "place") || isEqual(action, "snapshot") { return .poll }
        if isEqual(action, "join") || isEqual(action, "challenge") || isEqual(action, "recover") { return .join }
        if isEqual(action, "claim") || isEqual(action, "leave") || isEqual(action, "extend") { return .claim }
        return .poll
    }

    private static func isEqual(_ bytes: UnsafeRawBufferPointer, _ word: StaticString) -> Bool {
        bytes.count == word.utf8CodeUnitCount && starts(bytes, with: word)
    }

    private static func starts(_ bytes: UnsafeRawBufferPointer, with word: StaticString) -> Bool {
        guard bytes.count >= word.utf8CodeUnitCount else { return false }
        let wanted = word.utf8Start
        for index in 0..<word.utf8CodeUnitCount where lowered(bytes[index]) != wanted[index] { return false }
        return true
    }

    private static func lowered(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
