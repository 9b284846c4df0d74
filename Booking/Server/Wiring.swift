// Builds everything once. The list of services is in start order; they stop in reverse.

import AsyncHTTPClient
import BookingDatabase
import Foundation
import Holds
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import Operations
import Ordering
import Payments
import Postgres
import QueueTokens
import Redis
import ServiceLifecycle
import Serving
import UsherAPI

struct Wiring {
    let services: [any Service]
    let migrator: Migrator
    let logger: Logger

    init(_ configuration: BookingConfiguration) async throws {
        let logger = Logger(label: "usher-booking")
        self.logger = logger
        let metrics = MetricsRegistry()
        let clock = Clock.system
        // Names this process in leases: another start of the same program is another owner.
        let owner = "\(ProcessInfo.processInfo.processIdentifier)-\(clock.now().milliseconds)"

        var postgres = BookingDatabase.tuned(try PostgresConfiguration(url: configuration.postgres))
        postgres.connectionsMax = configuration.postgresConnections
        postgres.applicationName = "usher-booking"
        migrator = Migrator(postgres: postgres, logger: logger)
        let pool = PostgresPool(configuration: postgres, logger: logger)
        let orders = OrderDatabase(pool: pool)
        let shows = CatalogueDatabase(pool: pool)
        let redisConfiguration = try RedisConfiguration(url: configuration.redis)
        let redis = RedisClient(
            configuration: redisConfiguration,
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: logger
        )
        let holds = RedisHoldStore(redis: redis)
        let catalogue = CatalogueCache(store: shows, interval: configuration.interval, logger: logger)
        let projector = SeatProjector(
            orders: orders,
            catalogue: shows,
            holds: holds,
            owner: owner,
            logger: logger
        )
        let backlog = OrderBacklogDatabase(pool: pool, waitingMax: configuration.orderBacklogMax)
        let drain = BacklogDrain(
            backlog: backlog,
            leases: shows,
            projector: projector,
            owner: owner,
            metrics: metrics,
            logger: logger
        )
        let waitlist = WaitlistDatabase(pool: pool)
        let eventWorks = EventWorks(
            pool: pool,
            redis: redisConfiguration,
            owner: owner,
            configuration: configuration.events,
            clock: clock,
            metrics: metrics,
            logger: logger
        )
        var providerConfiguration = StripeProvider.clientConfiguration
        providerConfiguration.http1_1ConnectionDebugInitializer = { WholeRequests.add(to: $0) }
        let providerClient = HTTPClient(configuration: providerConfiguration)
        let shop = try Shop(
            configuration,
            clock: clock,
            owner: owner,
            accounts: AccountDatabase(pool: pool),
            orders: orders,
            queue: configuration.orderBacklogMax > 0 ? .init(backlog: backlog, drain: drain) : nil,
            stores: MoneyStores(pool: pool),
            shows: shows,
            waitlist: waitlist,
            holds: holds,
            providerClient: providerClient,
            catalogue: catalogue,
            projector: projector,
            eventWorks: eventWorks,
            metrics: metrics,
            logger: logger
        )
        let application = Application(
            router: shop.router(),
            server: .http1(boundTo: MultiThreadedEventLoopGroup.singleton),
            configuration: .init(address: .hostname(configuration.address, port: configuration.port)),
            logger: logger
        )
        let pages = OperationsPages(
            metrics: metrics,
            checks: [
                ("postgres", { (try? await orders.sagaCounts(stuckAfter: .zero)) == nil ? "no answer" : nil }),
                ("redis", { (try? await redis.call(["PING"])) == nil ? "no answer" : nil }),
                ("catalogue", { catalogue.isLoaded ? nil : "not loaded" }),
            ]
        )
        let admission = Admission(catalogue: catalogue, holds: holds, orders: orders, shop: shop)
        let operations = OperationsServer(
            address: configuration.address,
            port: configuration.operationsPort,
            logger: logger
        ) { path in
            if let reply = await pages.answer(path: path) { return reply }
            return await admission.answer(path: path)
        }
        services =
            [
                pool,
                redis,
                ProviderClient(client: providerClient),
                operations,
                catalogue,
                InventoryKeeper(
                    catalogue: catalogue,
                    store: shows,
                    holds: holds,
                    owner: owner,
                    interval: configuration.interval,
                    logger: logger
                ),
                projector,
                drain,
                InventoryComparer(
                    catalogue: catalogue,
                    store: shows,
                    orders: orders,
                    holds: holds,
                    owner: owner,
                    interval: configuration.compareInterval,
                    metrics: metrics,
                    logger: logger
                ),
                WaitlistKeeper(
                    store: waitlist,
                    leases: shows,
                    holds: holds,
                    catalogue: catalogue,
                    clock: clock,
                    owner: owner,
                    offerLifetime: configuration.offerLifetime,
                    interval: configuration.interval,
                    logger: logger
                ),
                shop.maps,
                OrderExpirer(
                    orders: orders,
                    projector: projector,
                    interval: configuration.interval,
                    logger: logger
                ),
                SagaRescuer(
                    orders: orders,
                    saga: shop.till.saga,
                    owner: owner,
                    lease: configuration.rescuerLease,
                    interval: configuration.interval,
                    logger: logger
                ),
                GatewayKeys(url: configuration.gateway, passes: shop.passes, interval: .seconds(300), logger: logger),
            ]
            + Self.moneyKeepers(shop, orders: orders, shows: shows, owner: owner, configuration, logger)
            + eventWorks.services + [shop.watch, application]
    }

    private static func moneyKeepers(
        _ shop: Shop,
        orders: any OrderStore,
        shows: any CatalogueStore,
        owner: String,
        _ configuration: BookingConfiguration,
        _ logger: Logger
    ) -> [any Service] {
        let till = shop.till
        return [
            RefundKeeper(
                refunds: till.stores.refunds,
                refunding: till.refunding,
                owner: owner,
                lease: configuration.rescuerLease,
                interval: configuration.interval,
                logger: logger
            ),
            EventKeeper(events: till.stores.events, news: till.news, interval: configuration.interval, logger: logger),
            CancellationKeeper(
                calling: till.calling,
                catalogue: shows,
                owner: owner,
                lease: configuration.rescuerLease * Till.leasesPerCall,
                interval: configuration.interval,
                logger: logger
            ),
            SagaWatch(
                orders: orders,
                stuckAfter: configuration.stuckAfter,
                open: till.openSagas,
                stuck: till.stuckSagas,
                interval: configuration.interval,
                logger: logger
            ),
        ]
    }
}
