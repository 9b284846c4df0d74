// Every setting of the gateway, its default and its range.
import EdgeHTTP
import Foundation
package import Logging
package import Operations
package import RateLimiting
package import Redis

package struct GatewayConfiguration: Sendable {
    package var listener: ListenerConfiguration
    package var tls: TLSSettings?
    package var overload: OverloadSettings
    package var admin: ListenerConfiguration
    package var redis: RedisConfiguration
    package var upstream: UpstreamConfiguration
    package var bodyRules: [BodyRule]
    package var bookingOperations: [ServiceAddress]
    package var keysFolder: String
    package var adminTokenFile: String
    package var roomsFile: String
    package var arrivalsFolder: String
    package var beaconRelays: [String]
    package var pagesFolder: String
    package var eventLoopCount: Int
    package var snapshotInterval: Duration
    package var tickInterval: Duration
    package var keysInterval: Duration
    package var drainTime: Duration
    package var limits: LimitPlan
    package var adminLimits: LimitPlan
    package var trustedProxies: [AddressBlock]
    package var challenges: ChallengeSettings
    package var logLevel: Logger.Level

    package static let keys: [Settings.Key] =
        [
            .init("host", "127.0.0.1", "address visitors connect to"),
            .init("port", "8080", "port visitors connect to; 0 takes a free one"),
            .init("admin-host", "127.0.0.1", "address of the admin API, health and metrics"),
            .init("admin-port", "8090", "port of the admin API, health and metrics"),
            .init("redis", "unix:///tmp/usher/redis.sock", "Redis: unix:///path or redis://host:port/db"),
            .init("booking", "http://127.0.0.1:8081", "the booking service; several with commas"),
            .init("booking-operations", "http://127.0.0.1:8091", "booking's operations port; several with commas"),
            .init("keys", ".data/keys", "folder of the signing keys; made when missing"),
            .init("admin-token-file", ".data/admin.token", "file of the admin token; made when missing"),
            .init("rooms-file", ".data/rooms.json", "what is remembered of the rooms in case Redis loses them"),
            .init("arrivals", ".data/arrivals", "folder of the arrival logs, of this gateway alone; made when missing"),
            .init("pages", "Gateway/Pages", "folder of the waiting page"),
            .init("event-loops", "0", "event loops; 0 takes one for each processor"),
            .init("snapshot-interval", "250ms", "how often the rooms are pulled from Redis"),
            .init("tick-interval", "1s", "how often a leader moves the cursors"),
            .init("keys-interval", "5m", "how often booking's keys are read"),
            .init("drain-time", "30s", "how long a stop may take until what is left is cut off"),
            .init("drain-lead", "5s", "how long a stopping gateway still serves, while it says that it is not ready"),
            .init("connections-max", "0", "open connections of visitors; 0: as many as open files allow, less a tenth"),
            .init("connections-per-address-max", "64", "open connections of one address"),
            .init("trusted-proxies", "", "CIDR blocks whose X-Forwarded-For is believed, with commas"),
            .init("secure-cookies", "false", "TLS ends in front of the plain port: cookies for TLS only, scheme https"),
            .init("log-level", "info", "trace, debug, info, notice, warning, error or critical"),
        ] + LimitSettings.keys + TLSSettings.keys + OverloadSettings.keys + EdgeLimitSettings.keys
        + UpstreamConfiguration.keys + BeaconSettings.keys
        + ChallengeSettings.keys

    package init(_ settings: Settings) throws {
        let drainTime = try settings.duration("drain-time", in: .seconds(0)...(.seconds(600)))
        listener = ListenerConfiguration(
            host: try settings.string("host"),
            port: try settings.integer("port", in: 0...65_535)
        )
        listener.connectionsMax = try settings.integer("connections-max", in: 0...1_000_000)
        listener.connectionsPerAddressMax = try settings.integer("connections-per-address-max", in: 1...1_000_000)
        listener.limits = try EdgeLimitSettings.read(settings)
        listener.drainTime = drainTime
        listener.drainLead = try settings.duration("drain-lead", in: .seconds(0)...(.seconds(600)))
        tls = try TLSSettings(settings)
        overload = try OverloadSettings(settings)
        listener.plain = try TLSSettings.plainPort(settings, hasTLS: tls != nil)
        let publicPort = try settings.integer("tls-public-port", in: 0...65_535)
        listener.tlsPublicPort = publicPort == 0 ? nil : publicPort
        listener.isSecure = try settings.boolean("secure-cookies")
        admin = ListenerConfiguration(
            host: try settings.string("admin-host"),
            port: try settings.integer("admin-port", in: 0...65_535)
        )
        admin.limits = listener.limits
        admin.drainTime = drainTime
        self.drainTime = drainTime
        do {
            redis = try RedisConfiguration(url: try settings.string("redis"))
        } catch let flaw as RedisAddressFlaw {
            throw settings.malformed("redis", flaw.reason)
        }
        upstream = try UpstreamConfiguration(settings, addresses: try Self.addresses(settings, "booking"))
        bookingOperations = try Self.addresses(settings, "booking-operations")
        bodyRules = try BodyRule.all(settings)
        keysFolder = try settings.string("keys")
        adminTokenFile = try settings.string("admin-token-file")
        roomsFile = try settings.string("rooms-file")
        arrivalsFolder = try settings.string("arrivals")
        beaconRelays = try BeaconSettings.relays(settings)
        pagesFolder = try settings.string("pages")
        let loops = try settings.integer("event-loops", in: 0...256)
        eventLoopCount = loops == 0 ? ProcessInfo.processInfo.activeProcessorCount : loops
        snapshotInterval = try settings.duration("snapshot-interval", in: .milliseconds(20)...(.seconds(10)))
        tickInterval = try settings.duration("tick-interval", in: .milliseconds(50)...(.seconds(10)))
        keysInterval = try settings.duration("keys-interval", in: .seconds(1)...(.seconds(3600)))
        limits = try LimitSettings.plan(settings)
        adminLimits = try LimitSettings.adminPlan(settings)
        trustedProxies = try Self.proxies(settings)
        challenges = try ChallengeSettings(settings)
        guard let level = Logger.Level(rawValue: try settings.string("log-level")) else {
            throw settings.malformed("log-level", "a log level")
        }
        logLevel = level
        redis.connectionCount = eventLoopCount
    }

    /// `http://host:port`, nothing more, one or several.
    private static func addresses(_ settings: Settings, _ name: String) throws -> [ServiceAddress] {
        let texts = try settings.string(name).split(separator: ",").map { $0.trimmingSpaces() }
        let addresses = texts.compactMap { text -> ServiceAddress? in
            guard let url = URLComponents(string: String(text)), url.scheme == "http",
                let host = url.host, !host.isEmpty, url.path.isEmpty || url.path == "/", url.query == nil,
                url.user == nil
            else { return nil }
            let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
            return ServiceAddress(host: bare, port: url.port ?? 80)
        }
        guard addresses.count == texts.count, (1...UpstreamConfiguration.addressesMax).contains(addresses.count) else {
            throw settings.malformed(name, "a URL such as http://127.0.0.1:8081, or several with commas")
        }
        return addresses
    }

    private static func proxies(_ settings: Settings) throws -> [AddressBlock] {
        try (settings.optional("trusted-proxies") ?? "").split(separator: ",").map { text in
            guard let block = AddressBlock(text) else {
                throw settings.malformed("trusted-proxies", "CIDR blocks with commas, such as 10.0.0.0/8")
            }
            return block
        }
    }
}
