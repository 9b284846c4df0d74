import EdgeHTTP
import Operations
import Synchronization

/// Counts open connections, in all and by address (IPv6: by /64), for the whole gateway.
final class ConnectionCensus: Sendable {
    enum Entry {
        case admitted
        case tooManyFromAddress
        case tooMany
    }

    private struct State {
        var total = 0
        var byAddress: [ClientAddress: Int] = [:]
        var isFull = false
    }

    private let totalMax: Int
    private let perAddressMax: Int
    private let counters: EdgeCounters
    private let state = Mutex(State())

    init(totalMax: Int, perAddressMax: Int, counters: EdgeCounters) {
        self.totalMax = totalMax
        self.perAddressMax = perAddressMax
        self.counters = counters
    }

    var total: Int { state.withLock { $0.total } }

    func enter(_ address: ClientAddress) -> Entry {
        let key = Self.key(address)
        let entry = state.withLock { state -> Entry in
            guard state.total < totalMax else { return .tooMany }
            let count = state.byAddress[key, default: 0]
            guard count < perAddressMax else { return .tooManyFromAddress }
            state.total += 1
            state.byAddress[key] = count + 1
            return .admitted
        }
        if entry == .admitted {
            counters.connections.set(Double(total))
        } else {
            counters.connectionsRefused.increment()
        }
        return entry
    }

    /// - Returns: whether the house was full and is no longer.
    func leave(_ address: ClientAddress) -> Bool {
        let key = Self.key(address)
        let (total, isOpenAgain) = state.withLock { state in
            state.total -= 1
            let count = state.byAddress[key, default: 0]
            state.byAddress[key] = count > 1 ? count - 1 : nil
            let isOpenAgain = state.isFull && state.total <= totalMax - max(1, totalMax / 20)
            if isOpenAgain { state.isFull = false }
            return (state.total, isOpenAgain)
        }
        counters.connections.set(Double(total))
        return isOpenAgain
    }

    /// How many more may come. Once the house is full it stays so until some have left, so that the door does not
    /// flap.
    func roomLeft() -> Int {
        state.withLock { state in
            if state.total >= totalMax { state.isFull = true }
            return state.isFull ? 0 : totalMax - state.total
        }
    }

    private static func key(_ address: ClientAddress) -> ClientAddress {
        address.ipv4 == nil ? ClientAddress(high: address.high, low: 0) : address
    }
}
