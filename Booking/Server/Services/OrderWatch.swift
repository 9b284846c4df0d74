import Ordering
import ServiceLifecycle
import Synchronization

/// Tells whoever watches an order that something about it changed: one question to PostgreSQL for all watched orders,
/// some times a second, so it does not matter which process made the change.
final class OrderWatch: Service {
    /// Streams of one process.
    static let watchersMax = 2_000
    static let tick = Duration.milliseconds(200)
    /// A quiet order's stamp is told again after so many ticks (15 s), which keeps its stream alive.
    static let ticksBetweenBeats = 75
    /// A stream ends after so many ticks (15 min); a browser comes back by itself.
    static let ticksMax = 4_500

    private struct Watcher {
        let order: OrderID
        var stamp: String?
        var ticks = 0
        let bell: AsyncStream<String>.Continuation
    }

    private struct State {
        var watchers: [Int: Watcher] = [:]
        var nextNumber = 0
        var isOver = false
    }

    private let orders: any OrderStore
    private let state = Mutex(State())

    init(orders: any OrderStore) { self.orders = orders }

    struct Subscription: Sendable {
        let number: Int
        /// A text that differs with every change of the order; the newest alone is kept for a slow reader.
        let stamps: AsyncStream<String>
    }

    /// `nil` when there are too many already.
    func watch(_ order: OrderID) -> Subscription? {
        let (stamps, bell) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(1))
        return state.withLock { state in
            guard state.watchers.count < Self.watchersMax, !state.isOver else { return nil }
            state.nextNumber += 1
            state.watchers[state.nextNumber] = Watcher(order: order, stamp: nil, bell: bell)
            return Subscription(number: state.nextNumber, stamps: stamps)
        }
    }

    func leave(_ subscription: Subscription) {
        state.withLock { state in state.watchers.removeValue(forKey: subscription.number) }?.bell.finish()
    }

    var watcherCount: Int { state.withLock { $0.watchers.count } }

    func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            while !Task.isCancelled {
                await look()
                guard await Pause.isOver(after: Self.tick) else { break }
            }
        }
        let left = state.withLock { state in
            state.isOver = true
            defer { state.watchers = [:] }
            return state.watchers.values.map(\.bell)
        }
        for bell in left { bell.finish() }
    }

    /// Rings for every order whose stamp is another one than before, or that was quiet for long.
    func look() async {
        let watched = state.withLock { state in Set(state.watchers.values.map(\.order)) }
        guard !watched.isEmpty, let stamps = try? await orders.stamps(of: Array(watched)) else { return }
        state.withLock { state in
            for (number, watcher) in state.watchers {
                state.watchers[number]?.ticks += 1
                let isBeat = watcher.ticks % Self.ticksBetweenBeats == Self.ticksBetweenBeats - 1
                if let stamp = stamps[watcher.order], stamp != watcher.stamp || isBeat {
                    state.watchers[number]?.stamp = stamp
                    watcher.bell.yield(stamp)
                }
                guard watcher.ticks >= Self.ticksMax else { continue }
                state.watchers[number] = nil
                watcher.bell.finish()
            }
        }
    }
}
