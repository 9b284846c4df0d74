import Logging
import Operations
import Ordering

/// Every setting of `usher-booking`, with its default and range.
struct BookingConfiguration: Sendable {
    var address: String
    var port: Int
    var operationsPort: Int
    /// 0: as many as there are cores.
    var eventLoops: Int
    var redis: String
    var postgres: String
    var postgresConnections: Int
    var keys: String
    var gateway: String
    var provider: String
    var providerKeyFile: String
    var providerTimeout: Duration
    var webhookSecretFile: String
    var holdLifetime: Duration
    var retryWindow: Duration
    var giveUpAfter: Duration
    var actionWindow: Duration
    var latePayment: LatePayment
    var stuckAfter: Duration
    var publicURL: String
    var accessLifetime: Duration
    var refreshLifetime: Duration
    var rescuerLease: Duration
    var interval: Duration
    var mapSubscribersMax: Int
    var holdExtensions: Int
    var holdTotal: Duration
    var holdCoolDown: Bool
    var compareInterval: Duration
    var offerLifetime: Duration
    /// Orders that may be accepted and not yet decided; 0: every order is decided before it is answered.
    var orderBacklogMax: Int
    var events: EventConfiguration
    var logLevel: Logger.Level

    static let section = "booking"
    static let attemptsMax = 3

    static let settings = own + EventConfiguration.settings

    private static let own: [Settings.Key] = [
        .init("address", "127.0.0.1", "where to listen"),
        .init("port", "8081", "port of the API; 0 takes a free one"),
        .init("operations-port", "8091", "port of /healthz, /readyz, /metrics and /internal"),
        .init("event-loops", "0", "event loops; 0 takes one for each processor"),
        .init("redis", "redis://127.0.0.1:6379/0", "unix:///path?db=0 or redis://[user:password@]host:port/db"),
        .init("postgres", "host=127.0.0.1 dbname=usher user=usher", "libpq connection string"),
        .init("postgres-connections", "8", "connections to PostgreSQL"),
        .init("keys", ".data/keys", "folder of the account and ticket keys, made on first start"),
        .init("gateway", "http://127.0.0.1:8080", "where the gateway serves its public keys"),
        .init("provider", "http://127.0.0.1:8082", "base URL of the payment provider"),
        .init("provider-key-file", ".data/keys/provider.key", "file with the provider's secret key"),
        .init("provider-timeout", "4s", "how long one call to the provider may take before it counts as unanswered"),
        .init("webhook-secret-file", ".data/keys/webhook.secret", "file with the secret of the provider's webhooks"),
        .init("hold", "300s", "how long a hold lasts"),
        .init("retry-window", "180s", "time left to pay after a decline, at least"),
        .init("give-up", "900s", "authorizations older than this are given back"),
        .init("action-window", "180s", "time for what the bank asks of a buyer, at least"),
        .init("late-payment", "void", "money for an expired order: void gives it back, reclaim tries its seats again"),
        .init("stuck-after", "300s", "a saga open for longer is told to operators"),
        .init("public-url", "http://127.0.0.1:8080", "where buyers reach the gateway, to come back to from their bank"),
        .init("access-lifetime", "15m", "life of an access token"),
        .init("refresh-lifetime", "720h", "life of a refresh token"),
        .init("rescuer-lease", "10s", "a saga without a sign of life for so long is taken over"),
        .init("interval", "1s", "how often expiry, rescue and the catalogue are looked at"),
        .init("hold-extensions", "2", "how often a buyer may lengthen a hold"),
        .init("hold-total", "900s", "how long a hold may last in all, however often it was lengthened"),
        .init("hold-cool-down", "true", "whether buyers who drop holds again and again have to wait"),
        .init("offer", "600s", "how long seats are kept for somebody on the waiting list"),
        .init("compare-interval", "60s", "how often what Redis shows is compared with what PostgreSQL decided"),
        .init(
            "order-backlog-max",
            "5000",
            "orders accepted with Prefer: respond-async that may wait; the next one gets 503; 0 switches it off"
        ),
        .init("map-subscribers-max", "5000", "readers of live maps at once; the next one gets 503"),
        .init("log-level", "info", "trace, debug, info, notice, warning, error"),
    ]

    init(_ settings: Settings) throws {
        address = try settings.string("address")
        port = try settings.integer("port", in: 0...65_535)
        operationsPort = try settings.integer("operations-port", in: 0...65_535)
        eventLoops = try settings.integer("event-loops", in: 0...256)
        redis = try settings.string("redis")
        postgres = try settings.string("postgres")
        postgresConnections = try settings.integer("postgres-connections", in: 2...64)
        keys = try settings.string("keys")
        gateway = try settings.string("gateway")
        provider = try settings.string("provider")
        providerKeyFile = try settings.string("provider-key-file")
        providerTimeout = try settings.duration("provider-timeout", in: .milliseconds(100)...(.seconds(60)))
        webhookSecretFile = try settings.string("webhook-secret-file")
        holdLifetime = try settings.duration("hold", in: .seconds(5)...(.seconds(3600)))
        retryWindow = try settings.duration("retry-window", in: .zero...(.seconds(3600)))
        giveUpAfter = try settings.duration("give-up", in: .seconds(5)...(.seconds(86_400)))
        actionWindow = try settings.duration("action-window", in: .zero...(.seconds(3600)))
        guard let late = LatePayment(rawValue: try settings.string("late-payment")) else {
            throw settings.malformed("late-payment", "void or reclaim")
        }
        latePayment = late
        stuckAfter = try settings.duration("stuck-after", in: .seconds(1)...(.seconds(86_400)))
        publicURL = try settings.string("public-url")
        accessLifetime = try settings.duration("access-lifetime", in: .seconds(30)...(.seconds(86_400)))
        refreshLifetime = try settings.duration("refresh-lifetime", in: .seconds(60)...(.seconds(31_536_000)))
        rescuerLease = try settings.duration("rescuer-lease", in: .milliseconds(100)...(.seconds(300)))
        interval = try settings.duration("interval", in: .milliseconds(50)...(.seconds(60)))
        holdExtensions = try settings.integer("hold-extensions", in: 0...20)
        holdTotal = try settings.duration("hold-total", in: .seconds(5)...(.seconds(7200)))
        holdCoolDown = try settings.boolean("hold-cool-down")
        offerLifetime = try settings.duration("offer", in: .seconds(5)...(.seconds(86_400)))
        compareInterval = try settings.duration("compare-interval", in: .seconds(1)...(.seconds(3600)))
        orderBacklogMax = try settings.integer("order-backlog-max", in: 0...50_000)
        mapSubscribersMax = try settings.integer("map-subscribers-max", in: 0...100_000)
        events = try EventConfiguration(settings)
        guard let level = Logger.Level(rawValue: try settings.string("log-level")) else {
            throw settings.malformed("log-level", "trace, debug, info, notice, warning, error or critical")
        }
        logLevel = level
    }
}
