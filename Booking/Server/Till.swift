// Everything about money, built from its stores: paying, cancelling, refunds, the provider's news, calling sessions off.

import AsyncHTTPClient
import BookingDatabase
import Logging
import Operations
import Ordering
import Payments
import Postgres

/// The stores that only money needs.
struct MoneyStores: Sendable {
    let refunds: any RefundStore
    let events: any ProviderEventStore
    let answers: any KeptAnswers
    let jobs: any CancellationStore

    init(pool: PostgresPool) {
        refunds = RefundDatabase(pool: pool)
        events = ProviderEventDatabase(pool: pool)
        answers = KeptAnswerDatabase(pool: pool)
        jobs = CancellationDatabase(pool: pool)
    }
}

struct Till: Sendable {
    let saga: PaySaga
    let paying: Paying
    let cancelling: Cancelling
    let refunding: Refunding
    let news: ProviderNews
    let calling: CallingOff
    let keyed: KeyedCalls
    let stores: MoneyStores
    let openSagas: Gauge
    let stuckSagas: Gauge

    /// A keyed call, or a pass over the sessions that are called off, may take longer than a step of a saga.
    static let leasesPerCall = 3

    init(
        _ configuration: BookingConfiguration,
        clock: Clock,
        owner: String,
        orders: any OrderStore,
        stores: MoneyStores,
        provider: any PaymentProvider,
        catalogue: CatalogueCache,
        projector: SeatProjector,
        health: ProviderHealth,
        metrics: MetricsRegistry,
        logger: Logger
    ) {
        self.stores = stores
        keyed = KeyedCalls(answers: stores.answers, lease: configuration.rescuerLease * Self.leasesPerCall)
        openSagas = metrics.gauge("usher_booking_sagas_open", "Payments and refunds with work to do.")
        stuckSagas = metrics.gauge("usher_booking_sagas_stuck", "Payments and refunds somebody must look at.")
        saga = PaySaga(
            rules: PaymentSaga(
                giveUpAfter: configuration.giveUpAfter,
                actionWindow: configuration.actionWindow,
                latePayment: configuration.latePayment
            ),
            orders: orders,
            provider: provider,
            projector: projector,
            health: health,
            clock: clock,
            retryWindow: configuration.retryWindow,
            owner: owner,
            lease: configuration.rescuerLease,
            anomalies: metrics.counter(
                "usher_booking_payment_anomalies_total",
                "Money that was not where it should be."
            ),
            logger: logger
        )
        paying = Paying(
            orders: orders,
            saga: saga,
            projector: projector,
            owner: owner,
            lease: configuration.rescuerLease,
            attemptsMax: BookingConfiguration.attemptsMax,
            clock: clock
        )
        refunding = Refunding(
            orders: orders,
            refunds: stores.refunds,
            catalogue: catalogue,
            provider: provider,
            projector: projector,
            rules: RefundSaga(),
            owner: owner,
            lease: configuration.rescuerLease,
            clock: clock,
            logger: logger
        )
        cancelling = Cancelling(orders: orders, saga: saga, refunding: refunding, projector: projector)
        news = ProviderNews(
            orders: orders,
            saga: saga,
            refunds: stores.refunds,
            refunding: refunding,
            events: stores.events,
            projector: projector,
            clock: clock,
            logger: logger
        )
        calling = CallingOff(
            jobs: stores.jobs,
            orders: orders,
            refunding: refunding,
            projector: projector,
            logger: logger
        )
    }
}
