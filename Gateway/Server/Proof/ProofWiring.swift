// The services that prove the order of a room, built in one place.
import Logging
import Operations
import QueueTokens
import Redis

struct ProofWiring: Sendable {
    let logs: RoomLogs
    let leases: RoomLeases
    let beacon: any BeaconSource
    let metrics: MetricsRegistry
    let logger: Logger

    func keeper(
        _ redis: RedisClient,
        _ rooms: Rooms,
        _ keys: KeyRing,
        _ folder: String,
        _ interval: Duration
    ) -> LogKeeper {
        LogKeeper(
            redis: redis,
            rooms: rooms,
            logs: logs,
            leases: leases,
            keys: keys,
            folder: folder,
            interval: interval,
            gauges: LogGauges(metrics),
            logger: logger
        )
    }

    func drawer(
        _ redis: RedisClient,
        _ rooms: Rooms,
        _ interval: Duration,
        patience: Duration = DrawRound.patience
    ) -> Drawer {
        Drawer(
            redis: redis,
            rooms: rooms,
            logs: logs,
            leases: leases,
            beacon: beacon,
            interval: interval,
            patience: patience,
            metrics: metrics,
            logger: logger
        )
    }

    func figures(_ redis: RedisClient, _ rooms: Rooms, _ interval: Duration = FigureKeeper.every) -> FigureKeeper {
        FigureKeeper(
            redis: redis,
            rooms: rooms,
            logs: logs,
            leases: leases,
            interval: interval,
            metrics: metrics,
            logger: logger
        )
    }

    func rankCheck(_ redis: RedisClient, _ rooms: Rooms, _ interval: Duration) -> RankCheck {
        RankCheck(
            redis: redis,
            rooms: rooms,
            logs: logs,
            chain: beacon.chain,
            interval: interval,
            metrics: metrics,
            logger: logger
        )
    }
}
