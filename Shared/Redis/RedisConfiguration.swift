import FoundationEssentials

/// Where the server is and how long to wait for it.
package struct RedisConfiguration: Sendable {
    package enum Address: Sendable, Hashable {
        case unixSocket(path: String)
        case tcp(host: String, port: Int)
    }

    package var address: Address
    package var user: String?
    package var password: String?
    package var database = 0

    /// Connections kept open. Calls of one caller keep their order only on one connection.
    package var connectionCount = 1
    /// Commands of one connection that may wait for a reply or for the socket.
    package var inFlightMax = 16_384
    /// The deadline of a call that names none, counted from the call to its reply.
    package var callDeadline: Duration = .seconds(1)
    /// The time to connect, authenticate and select the database.
    package var connectDeadline: Duration = .seconds(2)
    /// Calls made within this time after the loss of a connection wait for the next one; later ones fail at once.
    package var lossGrace: Duration = .milliseconds(250)
    /// A connection whose oldest call is this much past its deadline is given up.
    package var stallMax: Duration = .seconds(5)
    /// First and longest wait between two attempts to connect; the wait doubles and is drawn from its upper half.
    package var backOffFirst: Duration = .milliseconds(50)
    package var backOffMax: Duration = .seconds(2)
    /// The bytes one reply may take; more closes the connection.
    package var replyBytesMax = 64 << 20

    package init(address: Address) {
        self.address = address
    }

    /// Reads `unix:///run/redis.sock?db=0` or `redis://[user:password@]host[:port][/db]`.
    ///
    /// A unix socket takes `user` and `password` as query items.
    package init(url: String) throws(RedisAddressFlaw) {
        guard let parts = URLComponents(string: url) else { throw RedisAddressFlaw(reason: "not a URL") }
        let query = Dictionary((parts.queryItems ?? []).map { ($0.name, $0.value ?? "") }) { _, last in last }
        if let stranger = query.keys.first(where: { !["db", "user", "password"].contains($0) }) {
            throw RedisAddressFlaw(reason: "unknown query item \(stranger)")
        }
        var databaseText = query["db"]
        switch parts.scheme {
        case "unix":
            guard parts.path.hasPrefix("/"), parts.path.count > 1, (parts.host ?? "").isEmpty else {
                throw RedisAddressFlaw(reason: "unix:// needs an absolute path: unix:///path.sock")
            }
            guard parts.path.utf8.count <= Self.socketPathMax else {
                throw RedisAddressFlaw(reason: "the socket path is longer than \(Self.socketPathMax) bytes")
            }
            address = .unixSocket(path: parts.path)
        case "redis":
            guard let host = parts.host, !host.isEmpty else { throw RedisAddressFlaw(reason: "no host") }
            let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
            address = .tcp(host: bare, port: parts.port ?? 6379)
            let path = parts.path.drop { $0 == "/" }
            if !path.isEmpty { databaseText = String(path) }
        default:
            throw RedisAddressFlaw(reason: "the scheme must be unix or redis")
        }
        if let databaseText {
            guard let number = Int(databaseText), number >= 0 else {
                throw RedisAddressFlaw(reason: "the database must be a number, not \(databaseText)")
            }
            database = number
        }
        user = parts.user.flatMap { $0.isEmpty ? nil : $0 } ?? query["user"]
        password = parts.password ?? query["password"]
    }

    private static let socketPathMax = 107
}

extension RedisConfiguration: CustomStringConvertible {
    /// The address without the password, for logs.
    package var description: String {
        switch address {
        case .unixSocket(let path): "unix://\(path)?db=\(database)"
        case .tcp(let host, let port): "redis://\(host):\(port)/\(database)"
        }
    }
}

/// A Redis address that cannot be read. Never carries the address itself, as it may hold a password.
package struct RedisAddressFlaw: Error, Hashable, CustomStringConvertible {
    package let reason: String
    package var description: String { "bad Redis address: \(reason)" }
}
