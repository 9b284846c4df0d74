// Where all visitors write what happened to them.
import Histogram
import Synchronization
import UsherAPI

final class Scoreboard: Sendable {
    struct State: Sendable {
        var arrived = 0
        var joins: [JoinRecord] = []
        /// When each pass was given.
        var admissions: [Duration] = []
        var endings: [Ending] = []
        /// Answers that were not a success, by problem code or status.
        var refusals: [String: Int] = [:]
        var lostConnections = 0
        var requests = 0
        var latencies: [Step: Histogram<UInt64>] = [:]
        var arrivalLag = Histogram<UInt64>()
        var seatsSold = 0
        var toldSoldOut = 0
        var inShop = 0
    }

    private let state = Mutex(State())

    func snapshot() -> State { state.withLock { $0 } }

    func arrived(late: Duration) {
        state.withLock {
            $0.arrived += 1
            $0.arrivalLag.record(late.microseconds)
        }
    }

    func answered(_ step: Step, after latency: Duration, answer: Answer) {
        state.withLock {
            $0.requests += 1
            guard case .reply(let status, let code, _) = answer else {
                $0.lostConnections += 1
                return
            }
            $0.latencies[step, default: .init()].record(latency.microseconds)
            if status >= 400 { $0.refusals[code?.rawValue ?? "status_\(status)", default: 0] += 1 }
        }
    }

    func joined(_ record: JoinRecord) { state.withLock { $0.joins.append(record) } }

    func admitted(at time: Duration) {
        state.withLock {
            $0.admissions.append(time)
            $0.inShop += 1
        }
    }

    func ended(_ ending: Ending, wasInShop: Bool) {
        state.withLock {
            $0.endings.append(ending)
            if wasInShop { $0.inShop -= 1 }
            switch ending {
            case .sold(let seats, _): $0.seatsSold += seats.count
            case .toldSoldOut: $0.toldSoldOut += 1
            default: break
            }
        }
    }
}

extension Duration {
    var microseconds: UInt64 {
        let (seconds, attoseconds) = components
        return UInt64(Swift.max(0, seconds * 1_000_000 + attoseconds / 1_000_000_000_000))
    }

    var seconds: Double { Double(microseconds) / 1_000_000 }
}
