// A run of buyers on one event loop: who is next, how many seats they want, and what became of it.
import NIOCore
import NIOPosix
import UsherAPI

/// Used on its loop alone.
final class BuyRun {
    private static let connectTimeout = TimeAmount.seconds(10)
    private static let reconnectPause = TimeAmount.milliseconds(20)
    private static let reconnectsMax = 10_000

    let plan: BuyPlan
    let loop: any EventLoop
    private let headers: [String]
    private var seats: SeatShare
    private let end: NIODeadline
    private var begun = 0
    private var linesOpen = 0
    private var reconnects = 0
    private let finished: EventLoopPromise<BuyReport>
    var tally = BuyTally()

    private init(
        _ plan: BuyPlan,
        headers: [String],
        seats: SeatShare,
        loop: any EventLoop,
        finished: EventLoopPromise<BuyReport>
    ) {
        self.plan = plan
        self.headers = headers
        self.seats = seats
        self.loop = loop
        self.finished = finished
        end = .now() + plan.time
    }

    static func carryOut(
        _ plan: BuyPlan,
        buyers: [String],
        seats: SeatShare,
        on loop: any EventLoop
    ) async throws -> BuyReport {
        let finished = loop.makePromise(of: BuyReport.self)
        loop.execute {
            let run = BuyRun(plan, headers: buyers, seats: seats, loop: loop, finished: finished)
            for _ in 0..<plan.connections { run.openLine(for: nil) }
        }
        return try await finished.futureResult.get()
    }

    /// The next buyer; nil when it is enough.
    func nextBuyer() -> Buyer? {
        guard NIODeadline.now() < end, begun < plan.ordersMax, !headers.isEmpty else { return nil }
        // Who only looks or holds comes again; who buys comes once, because of the limit of seats a buyer.
        let comesAgain = plan.flow == .hold || plan.flow == .map
        guard comesAgain || begun < headers.count else { return nil }
        var wanted = 0
        if plan.flow != .map {
            guard let taken = seats.take(plan.want) else { return nil }
            wanted = taken
        }
        defer { begun += 1 }
        return Buyer(
            number: begun,
            headers: headers[begun % headers.count],
            quantity: wanted,
            step: plan.flow.firstStep
        )
    }

    func giveBack(_ buyer: Buyer) { seats.giveBack(buyer.quantity) }

    /// A new connection, for a buyer who is on the way or for the next one.
    func openLine(for buyer: Buyer?) {
        linesOpen += 1
        let (bound, carried) = (NIOLoopBound(self, eventLoop: loop), NIOLoopBound(buyer, eventLoop: loop))
        ClientBootstrap(group: loop)
            .connectTimeout(Self.connectTimeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let line = BuyerLine(run: bound.value, buyer: carried.value)
                    try channel.pipeline.syncOperations.addHandler(line)
                }
            }
            .connect(to: plan.address)
            .whenFailure { _ in bound.value.lineEnded(with: carried.value) }
    }

    /// A connection is gone; its buyer goes on with another one.
    func lineEnded(with buyer: Buyer?) {
        linesOpen -= 1
        if let buyer {
            tally.lostConnections += 1
            reconnects += 1
            guard reconnects < Self.reconnectsMax else { return giveUp() }
            linesOpen += 1
            let (bound, carried) = (NIOLoopBound(self, eventLoop: loop), NIOLoopBound(buyer, eventLoop: loop))
            loop.scheduleTask(in: Self.reconnectPause) {
                bound.value.linesOpen -= 1
                bound.value.openLine(for: carried.value)
            }
        } else if linesOpen == 0 {
            finished.succeed(tally.report(plan.flow))
        }
    }

    private func giveUp() {
        tally.unfinished += 1
        if linesOpen == 0 { finished.succeed(tally.report(plan.flow)) }
    }
}
