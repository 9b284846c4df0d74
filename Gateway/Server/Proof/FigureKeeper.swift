// Publishes how fair the rooms are that are led here: out-of-order pairs, how far people moved, who got in.
import Fairness
package import Logging
import NIOPosix
package import Operations
import Queueing
package import Redis
import ServiceLifecycle
import Signing
import UsherAPI

package struct FigureKeeper: Service {
    package static let every: Duration = .seconds(30)
    /// A larger room's figures come from its audit.
    static let placesMax = 1_000_000

    private let store: RoomStore
    private let rooms: Rooms
    private let logs: RoomLogs
    private let leases: RoomLeases
    private let interval: Duration
    private let metrics: MetricsRegistry
    private let logger: Logger

    package init(
        redis: RedisClient,
        rooms: Rooms,
        logs: RoomLogs,
        leases: RoomLeases,
        interval: Duration = FigureKeeper.every,
        metrics: MetricsRegistry,
        logger: Logger
    ) {
        store = RoomStore(redis: redis)
        self.rooms = rooms
        self.logs = logs
        self.leases = leases
        self.interval = interval
        self.metrics = metrics
        self.logger = logger
    }

    /// What a room's figures depend on: while it stays the same, so do they.
    private struct Basis: Equatable {
        var generation: Int
        var epoch: Int
        var places: Int
        var claimsBytes: Int
        var ties: Int
        var isDrawn: Bool
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var published: [RoomName: Basis] = [:]
            while !Task.isCancelled {
                for view in rooms.view.rooms.values where leases.lease(of: view.name) != nil {
                    do {
                        published[view.name] = try await publish(view.snapshot, unless: published[view.name])
                    } catch {
                        logger.debug("no figures", metadata: ["room": "\(view.name)", "error": "\(error)"])
                    }
                }
                try? await Task.sleep(for: interval)
            }
        }
    }

    private func publish(_ room: RoomSnapshot, unless last: Basis?) async throws -> Basis? {
        guard let log = logs.log(of: room), (1...Self.placesMax).contains(log.count) else { return nil }
        let basis = Basis(
            generation: room.generation,
            epoch: room.epoch,
            places: log.count,
            claimsBytes: try await store.length(of: .claims, room.name),
            ties: room.order.ties.count,
            isDrawn: room.order.draw != nil
        )
        guard basis != last else { return basis }
        let claims = try await claims(of: room.name, bytes: basis.claimsBytes)
        let figures = try await NIOThreadPool.singleton.runIfActive { try Self.figures(room, log, claims: claims) }
        func gauge(_ name: String, _ help: String, decile: Int? = nil) -> Gauge {
            let labels = decile.map { ["room": room.name.text, "decile": "\($0)"] } ?? ["room": room.name.text]
            return metrics.gauge("usher_gateway_room_\(name)", help, labels: labels)
        }
        gauge("inversion_rate", "Share of pairs of places of which the earlier arrival is called later.")
            .set(figures.inversionRate)
        gauge("displacement_p50", "Places that half of the visitors moved by at most.")
            .set(Double(figures.displacementP50))
        gauge("displacement_p99", "Places that 99 of 100 visitors moved by at most.")
            .set(Double(figures.displacementP99))
        for (decile, share) in figures.admittedPerDecile.enumerated() {
            gauge("admitted_share", "Share of a tenth of the arrivals that got a pass.", decile: decile + 1).set(share)
        }
        return basis
    }

    private func claims(of room: RoomName, bytes wanted: Int) async throws -> [UInt8] {
        let length = min(wanted, Self.placesMax * RoomStore.Record.claims.entryBytes)
        var bytes: [UInt8] = []
        while bytes.count < length {
            let piece = try await store.bytes(of: .claims, room, from: bytes.count, count: length - bytes.count)
            guard !piece.isEmpty else { break }
            bytes += piece
        }
        return bytes
    }

    static func figures(_ room: RoomSnapshot, _ log: RoomLog, claims: [UInt8]) throws -> FairnessFigures {
        let count = log.count
        var isIn = [Bool](repeating: false, count: count)
        for start in stride(from: 0, through: claims.count - 16, by: 16) {
            let number = claims[start..<(start + 8)].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            if number > 0, number <= UInt64(count) { isIn[Int(number) - 1] = true }
        }
        let table = ranks(of: room)
        var arrivals: [Int64] = []
        var ranks: [UInt64] = []
        var isAdmitted: [Bool] = []
        arrivals.reserveCapacity(count)
        ranks.reserveCapacity(count)
        isAdmitted.reserveCapacity(count)
        // In pieces: a whole log is larger than all that is kept of it here.
        for first in stride(from: 0, to: count, by: RoomLog.entriesReadMax) {
            let entries = try log.entries(first..<min(count, first + RoomLog.entriesReadMax))
            for (index, entry) in ArrivalEntry.all(in: entries).enumerated() where !entry.isVoid {
                arrivals.append(entry.milliseconds)
                ranks.append(table.rank(of: UInt64(first + index) + 1))
                isAdmitted.append(isIn[first + index])
            }
        }
        return FairnessFigures(arrivals: arrivals, ranks: ranks, isAdmitted: isAdmitted)
    }

    /// As the draw or the closed tie windows give them.
    private static func ranks(of room: RoomSnapshot) -> RankTable {
        var table = RankTable()
        if let document = room.order.draw.flatMap({ DrawDocument($0) }),
            let seed = Hex.decode(document.seed).flatMap({ Digest($0) })
        {
            table.append(RankBlock(first: 1, count: document.count, seed: seed))
        }
        for tie in room.order.ties {
            let seed = TieBreak.seed(
                secret: room.order.secret,
                room: room.name.text,
                first: tie.first,
                count: tie.count
            )
            table.append(RankBlock(first: tie.first, count: tie.count, seed: seed))
        }
        return table
    }
}
