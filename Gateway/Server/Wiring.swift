// Builds everything once and lists the services in start order; they stop in the reverse order.
package import Logging
import NIOCore
package import NIOPosix
package import Operations
import OutwardCalls
import Queueing
import RateLimiting
package import Redis
package import ServiceLifecycle
import Signing

package struct Wiring: Sendable {
    package let group: MultiThreadedEventLoopGroup
    package let redis: RedisClient
    package let rooms: Rooms
    package let metrics: MetricsRegistry
    package let services: [any Service]

    /// The callbacks are told the ports of the two listeners.
    package init(
        _ configuration: GatewayConfiguration,
        logger: Logger,
        onListening: @escaping @Sendable (Int) -> Void = { _ in },
        onAdminListening: @escaping @Sendable (Int) -> Void = { _ in }
    ) async throws {
        let configuration = configuration.fitted(to: Program.raiseDescriptorLimit(), logger: logger)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.eventLoopCount)
        let metrics = MetricsRegistry()
        let redis = RedisClient(configuration: configuration.redis, eventLoopGroup: group, logger: logger)
        let counters = RoomCounters(metrics)
        let outward = OutwardClient(group: group)
        let challenger = Self.challenger(configuration.challenges, outward, metrics, logger)
        let proof = ProofWiring(
            logs: RoomLogs(),
            leases: RoomLeases(),
            beacon: BeaconClient(
                relays: configuration.beaconRelays,
                client: outward,
                metrics: metrics,
                logger: logger
            ),
            metrics: metrics,
            logger: logger
        )
        let supplies = RoomSupplies(
            redis: redis,
            keys: try GatewayKeys.load(from: configuration.keysFolder),
            counters: counters,
            challenger: challenger,
            logs: proof.logs
        )
        let rooms = try await Rooms.make(on: group, supplies: supplies)
        let edgeCounters = EdgeCounters(metrics)
        let limits = Self.limits(configuration.limits, metrics, "visitors")
        let adminLimits = Self.limits(configuration.adminLimits, metrics, "admin")
        Self.warn(configuration, logger)
        let pages = try WaitingPages(
            folder: configuration.pagesFolder,
            captcha: configuration.challenges.captcha?.site
        )
        let upstream = configuration.upstream
        let addressRule = AddressRule(trustedProxies: configuration.trustedProxies)
        let shelf = try configuration.tls.map { try CertificateShelf($0, metrics: metrics, logger: logger) }
        var listener = configuration.listener
        if let tls = configuration.tls, let shelf { listener.tls = TLSPort(tls, shelf: shelf) }
        let readiness = Readiness()
        let overload = Overload(metrics)

        let visitors = EdgeListener(
            name: "visitors",
            configuration: listener,
            group: group,
            counters: edgeCounters,
            logger: logger,
            overload: overload,
            onListening: onListening,
            onDraining: readiness.beginDrain
        ) { loop in
            VisitorDesk(
                rooms: rooms.on(loop),
                pages: pages,
                addressRule: addressRule,
                limits: limits,
                booking: Self.pool(upstream, loop, edgeCounters),
                bodyRules: configuration.bodyRules,
                counters: edgeCounters,
                overload: overload
            )
        }
        let token = try AdminToken.load(from: configuration.adminTokenFile)
        let admin = AdminAPI(
            token: token,
            store: RoomStore(redis: redis),
            access: AccessStore(redis: redis),
            rooms: rooms,
            limits: limits,
            challenger: challenger,
            logger: logger
        )
        let operations = OperationsPages(
            metrics: metrics,
            checks: [
                ("drain", { readiness.isDraining ? "stopping" : nil }),
                ("rooms", { rooms.view.isKnown ? nil : "not pulled yet" }),
                (
                    "store",
                    {
                        let lost = rooms.view.forgotten
                        return lost.isEmpty ? nil : "gone from Redis, make them again: \(lost.joined(separator: " "))"
                    }
                ),
                ("arrival logs", { proof.logs.fault }),
                ("ranks", { rooms.view.misrankedRooms }),
                ("overload", { overload.level == .connections ? "accepts no connection" : nil }),
            ],
            notes: [("gives up", { overload.level.name })]
        )
        let adminCounters = EdgeCounters(metrics, listener: "admin")
        let adminListener = EdgeListener(
            name: "admin",
            configuration: configuration.admin,
            group: group,
            counters: adminCounters,
            logger: logger,
            onListening: onAdminListening
        ) { loop in
            AdminDesk(
                loop: loop,
                operations: operations,
                admin: { request in .later(loop.makeFutureWithTask { await admin.answer(request) }) },
                token: token,
                limits: adminLimits,
                booking: Self.pool(upstream, loop, adminCounters)
            )
        }
        let fetch = PlainFetch(group: group)
        self.group = group
        self.redis = redis
        self.rooms = rooms
        self.metrics = metrics
        services = [
            OutwardCloser(outward),
            redis,
            try SnapshotPuller(
                redis: redis,
                rooms: rooms,
                interval: configuration.snapshotInterval,
                checkpointFile: configuration.roomsFile,
                counters: counters,
                gauges: RoomGauges(metrics),
                challenger: challenger,
                gave: supplies.memory,
                logger: logger
            ),
            AccessKeeper(
                redis: redis,
                rooms: rooms,
                limits: limits,
                interval: configuration.snapshotInterval,
                gauges: AccessGauges(metrics),
                logger: logger
            ),
            AccountKeysReader(
                fetch: fetch,
                addresses: configuration.upstream.addresses,
                rooms: rooms,
                interval: configuration.keysInterval,
                logger: logger
            ),
            EntryKeysReader(
                source: configuration.challenges.entry?.keys,
                client: outward,
                rooms: rooms,
                interval: configuration.keysInterval,
                logger: logger
            ),
            AdmissionTicker(
                redis: redis,
                rooms: rooms,
                reports: BookingReports(fetch: fetch, addresses: configuration.bookingOperations),
                gauges: EstimateGauges(metrics),
                interval: configuration.tickInterval,
                leases: proof.leases,
                logger: logger
            ),
            proof.keeper(
                redis,
                rooms,
                supplies.keys.logs,
                configuration.arrivalsFolder,
                configuration.snapshotInterval
            ),
            proof.drawer(redis, rooms, configuration.tickInterval),
            proof.rankCheck(redis, rooms, configuration.tickInterval),
            proof.figures(redis, rooms),
            adminListener,
            Self.overloadWatch(overload, configuration.overload, group, metrics, logger),
            CertificateReloader(shelf: shelf, logger: logger),
            OpenWhenRoomsAreKnown(rooms: rooms, listener: visitors),
        ]
    }

    private static func challenger(
        _ configuration: ChallengeSettings,
        _ client: OutwardClient,
        _ metrics: MetricsRegistry,
        _ logger: Logger
    ) -> Challenger {
        Challenger(
            metrics,
            captcha: configuration.captcha.map { captcha in
                CaptchaVerifier(url: captcha.verifyURL, secret: captcha.secret, client: client, logger: logger)
            },
            captchaSite: configuration.captcha?.site,
            entryIssuer: configuration.entry?.issuer
        )
    }

    private static func limits(_ plan: LimitPlan, _ metrics: MetricsRegistry, _ listener: String) -> Limits {
        let seed = SecureRandom.bytes(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Limits(plan, seed: seed, counters: LimitCounters(metrics, plan, listener: listener))
    }

    /// Limits that would hurt people who do as they are told are most likely a mistake.
    private static func warn(_ configuration: GatewayConfiguration, _ logger: Logger) {
        let visitors = configuration.listener.connectionsPerAddressMax
        let most = 60 / (PollDelay.least * (1 - PollDelay.spread))
        for rule in configuration.limits.rulesBelow(visitors: visitors, pollsPerMinuteMost: most) {
            logger.warning(
                "a limit refuses polite visitors when as many as may connect share one address",
                metadata: ["limit": "limit-\(rule.name)", "connections_per_address": "\(visitors)"]
            )
        }
    }

    private static func overloadWatch(
        _ overload: Overload,
        _ settings: OverloadSettings,
        _ group: MultiThreadedEventLoopGroup,
        _ metrics: MetricsRegistry,
        _ logger: Logger
    ) -> OverloadWatch {
        let pulses = group.makeIterator().map { loop in
            let pulse = LoopPulse()
            pulse.begin(on: loop)
            return pulse
        }
        logger.info("memory", metadata: ["memory_max": "\(settings.memoryBytesMax >> 20) MiB"])
        return OverloadWatch(overload, thresholds: settings.thresholds, metrics: metrics, logger: logger) {
            OverloadPolicy.Measurement(
                lagMS: pulses.map { $0.lagMS() }.max() ?? 0,
                memory: Double(ProcessMemory.residentBytes()) / Double(settings.memoryBytesMax)
            )
        }
    }

    private static func pool(
        _ configuration: UpstreamConfiguration,
        _ loop: any EventLoop,
        _ counters: EdgeCounters
    ) -> UpstreamPool {
        let pool = UpstreamPool(configuration, loop: loop, counters: counters)
        pool.begin()
        return pool
    }
}

/// Before the rooms are known no path is known to be protected, and before the lists are known nobody to be refused: so
/// nobody is let in.
private struct OpenWhenRoomsAreKnown: Service {
    private static let lookEvery: Duration = .milliseconds(20)

    let rooms: Rooms
    let listener: EdgeListener

    private var isReady: Bool { rooms.view.isKnown && rooms.view.access.isKnown }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !isReady, !Task.isCancelled { try? await Task.sleep(for: Self.lookEvery) }
        }
        guard isReady else { return }
        try await listener.run()
    }
}
