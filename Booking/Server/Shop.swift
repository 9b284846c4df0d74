// The use cases and routes of the service, built from its stores.

import AsyncHTTPClient
import Foundation
import Hummingbird
import Logging
import Operations
import Ordering
import Payments
import QueueTokens

struct Shop: Sendable {
    let accounts: Accounts
    let purchases: Purchases
    let till: Till
    let watch: OrderWatch
    let passes: PassCheck
    let health: ProviderHealth
    let latency: HoldLatency
    let maps: LiveMaps
    private let check: AccountCheck
    private let keeping: SeatKeeping
    private let waitlist: Waitlist
    private let replies: OrderReplies
    private let keys: KeyRing
    private let ticketKeys: KeyRing
    private let verifier: WebhookVerifier
    private let orders: any OrderStore
    private let holds: any HoldStore
    private let catalogue: CatalogueCache
    private let shows: any CatalogueStore
    private let projector: SeatProjector
    private let eventWorks: EventWorks
    private let clock: Clock

    init(
        _ configuration: BookingConfiguration,
        clock: Clock,
        owner: String,
        accounts accountStore: any AccountStore,
        orders: any OrderStore,
        queue: Purchases.OrderQueue?,
        stores: MoneyStores,
        shows: any CatalogueStore,
        waitlist waitlistStore: any WaitlistStore,
        holds: any HoldStore,
        providerClient: HTTPClient,
        catalogue: CatalogueCache,
        projector: SeatProjector,
        eventWorks: EventWorks,
        metrics: MetricsRegistry,
        logger: Logger
    ) throws {
        self.orders = orders
        self.holds = holds
        self.catalogue = catalogue
        self.projector = projector
        self.eventWorks = eventWorks
        self.clock = clock
        self.shows = shows
        watch = OrderWatch(orders: orders)
        keys = try KeyRing.load(from: configuration.keys, name: .account)
        ticketKeys = try KeyRing.load(from: configuration.keys, name: .ticket)
        verifier = WebhookVerifier(secrets: [try Self.secret(in: configuration.webhookSecretFile)])
        check = AccountCheck(keys: keys, clock: clock)
        waitlist = Waitlist(
            store: waitlistStore,
            holds: holds,
            catalogue: catalogue,
            clock: clock,
            holdLifetime: configuration.holdLifetime
        )
        keeping = SeatKeeping(store: shows, holds: holds, clock: clock, logger: logger)
        passes = PassCheck(clock: clock)
        health = ProviderHealth()
        latency = HoldLatency()
        maps = LiveMaps(
            catalogue: catalogue,
            holds: holds,
            clock: clock,
            subscribersMax: configuration.mapSubscribersMax,
            metrics: metrics,
            logger: logger
        )
        replies = OrderReplies(catalogue: catalogue, ticketKeys: ticketKeys)
        accounts = Accounts(
            store: accountStore,
            keys: keys,
            passwords: PasswordThreads(),
            clock: clock,
            accessLifetime: configuration.accessLifetime,
            refreshLifetime: configuration.refreshLifetime
        )
        purchases = Purchases(
            catalogue: catalogue,
            holds: holds,
            orders: orders,
            queue: queue,
            projector: projector,
            replies: replies,
            holdTiming: metrics.timing("usher_hold_seconds", "Time to place a hold."),
            latency: latency,
            clock: clock,
            holdLifetime: configuration.holdLifetime,
            holdExtensions: configuration.holdExtensions,
            holdTotal: configuration.holdTotal,
            holdCoolDown: configuration.holdCoolDown
        )
        till = Till(
            configuration,
            clock: clock,
            owner: owner,
            orders: orders,
            stores: stores,
            provider: StripeProvider(
                StripeConfiguration(
                    baseURL: configuration.provider,
                    secretKey: try Self.secret(in: configuration.providerKeyFile),
                    returnURL: configuration.publicURL,
                    authorizeTimeout: configuration.providerTimeout,
                    callTimeout: configuration.providerTimeout
                ),
                client: providerClient,
                logger: logger
            ),
            catalogue: catalogue,
            projector: projector,
            health: health,
            metrics: metrics,
            logger: logger
        )
    }

    /// Every route of the API.
    func router() -> Router<BookingContext> {
        let router = Router(context: BookingContext.self)
        router.addMiddleware {
            ProblemMiddleware()
            WarmUp(catalogue: catalogue)
        }
        let seats = CatalogueRoutes(catalogue: catalogue, holds: holds, clock: clock)
        let holdReplies = HoldReplies(catalogue: catalogue, clock: clock)
        let routes = router.group("v1")
        AccountRoutes(accounts: accounts, check: check).add(to: routes)
        seats.add(to: routes)
        SeatAdminRoutes(keeping: keeping, catalogue: catalogue, check: check).add(to: routes)
        MapStreamRoutes(catalogue: catalogue, maps: maps).add(to: routes)
        HoldRoutes(
            purchases: purchases,
            catalogue: catalogue,
            holds: holds,
            replies: holdReplies,
            check: check,
            passes: passes
        ).add(to: routes)
        WaitlistRoutes(waitlist: waitlist, holdReplies: holdReplies, catalogue: catalogue, check: check).add(to: routes)
        OrderRoutes(
            purchases: purchases,
            paying: till.paying,
            cancelling: till.cancelling,
            kept: till.stores.answers,
            keyed: till.keyed,
            orders: orders,
            replies: replies,
            catalogue: catalogue,
            projector: projector,
            check: check,
            passes: passes,
            clock: clock
        ).add(to: routes)
        addMoney(to: routes)
        WebhookEndpointRoutes(
            webhooks: eventWorks.webhooks,
            check: check,
            allowsPrivateTargets: eventWorks.configuration.allowsPrivateTargets,
            clock: clock
        ).add(to: routes)
        ParkedEventRoutes(events: eventWorks.events, check: check).add(to: routes)
        SessionPage(catalogue: catalogue, seats: seats).add(to: router)
        let publicKeys = JWKS.encode(keys.keys.union(ticketKeys.keys))
        router.get(".well-known/jwks.json") { _, _ in
            var response = Response.bytes(publicKeys, contentType: JWKS.contentType)
            response.headers[.cacheControl] = "public, max-age=300"
            return response
        }
        return router
    }

    private func addMoney(to routes: RouterGroup<BookingContext>) {
        OrderEventRoutes(orders: orders, replies: replies, watch: watch, check: check, clock: clock).add(to: routes)
        RefundRoutes(
            refunding: till.refunding,
            orders: orders,
            replies: replies,
            check: check,
            keyed: till.keyed
        ).add(to: routes)
        AdminMoneyRoutes(
            refunding: till.refunding,
            refunds: till.stores.refunds,
            orders: orders,
            jobs: till.stores.jobs,
            shows: shows,
            catalogue: catalogue,
            replies: replies,
            check: check,
            keyed: till.keyed
        ).add(to: routes)
        WebhookRoutes(verifier: verifier, news: till.news, clock: clock).add(to: routes)
    }

    /// The one line of a secret's file.
    private static func secret(in file: String) throws -> String {
        guard let bytes = FileManager.default.contents(atPath: file) else {
            throw SettingsFault.unreadable(file: file, reason: "cannot be read; the payment provider makes it")
        }
        let text = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard !text.isEmpty else { throw SettingsFault.unreadable(file: file, reason: "is empty") }
        return text
    }
}
