// Kept-alive connections to the services behind, for one event loop. Bounded: so many connections, so many who wait.
package import EdgeHTTP
package import NIOCore
import NIOPosix
import Operations

package enum ProxyFailure: Error, Equatable {
    case unreachable
    case closedEarly
    case timedOut
    /// The reply broke a rule of HTTP.
    case broken(UpstreamFlaw)
    /// Every connection is busy and too many wait already.
    case crowded
}

package final class UpstreamPool {
    private static let sweepEvery: TimeAmount = .milliseconds(100)

    package let configuration: UpstreamConfiguration
    let loop: any EventLoop
    private let services: [Service]
    private var roster: UpstreamRoster
    private let counters: EdgeCounters?
    private var waiting = CircularBuffer<ProxyExchange>()
    /// All that have begun and not ended, waiting or under way: each knows its position.
    private var running: [ProxyExchange] = []
    private var sweep: RepeatedTask?
    private var checks: RepeatedTask?

    private final class Service {
        let address: ServiceAddress
        let authority: String
        var idle: [UpstreamConnection] = []
        /// Open or being opened.
        var openCount = 0

        init(_ address: ServiceAddress) {
            self.address = address
            authority = address.authority
        }
    }

    package init(_ configuration: UpstreamConfiguration, loop: any EventLoop, counters: EdgeCounters? = nil) {
        self.configuration = configuration
        self.loop = loop
        self.counters = counters
        services = configuration.addresses.map { Service($0) }
        roster = UpstreamRoster(count: services.count, rule: configuration.ejection)
    }

    /// Watches deadlines, unused connections and services from now on; call it on the loop.
    package func begin() {
        let bound = NIOLoopBound(self, eventLoop: loop)
        sweep = loop.scheduleRepeatedTask(initialDelay: Self.sweepEvery, delay: Self.sweepEvery) { _ in
            bound.value.look()
        }
        guard services.count > 1 else { return }
        let interval = configuration.checkInterval
        checks = loop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in bound.value.check() }
    }

    package func stop() {
        sweep?.cancel()
        checks?.cancel()
        for service in services {
            for connection in service.idle { connection.close() }
        }
    }

    func authority(of index: Int) -> String { services[index].authority }

    // MARK: Lending

    /// Calls `connected` or `failed` of the exchange, now or later.
    func lend(to exchange: ProxyExchange, mustBeFresh: Bool, avoiding avoided: Int? = nil) {
        let index = roster.choose(avoiding: avoided)
        let service = services[index]
        while !mustBeFresh, let connection = service.idle.popLast() {
            guard connection.isOpen else { continue }
            exchange.connected(connection)
            return
        }
        if service.openCount < configuration.connectionsPerLoopMax {
            connect(to: index, for: exchange)
        } else if mustBeFresh, let unused = service.idle.popLast() {
            // The room it leaves is ours as soon as it is closed.
            waiting.prepend(exchange)
            unused.close()
        } else if waiting.count < configuration.waitingPerLoopMax {
            waiting.append(exchange)
        } else {
            exchange.failed(.crowded)
        }
    }

    /// A connection whose last reply was whole and whose last request was sent whole.
    func takeBack(_ connection: UpstreamConnection) {
        guard connection.isOpen else { return }
        connection.wasUsed = true
        if let next = nextWaiting() {
            next.connected(connection)
            return
        }
        connection.idleSince = loop.now
        services[connection.service].idle.append(connection)
    }

    func closed(_ connection: UpstreamConnection) {
        let service = services[connection.service]
        service.idle.removeAll { $0 === connection }
        service.openCount -= 1
        connectForWaiting(connection.service)
    }

    private func nextWaiting() -> ProxyExchange? {
        while let next = waiting.popFirst() {
            if !next.isDone { return next }
        }
        return nil
    }

    private func connectForWaiting(_ index: Int) {
        while services[index].openCount < configuration.connectionsPerLoopMax, let next = nextWaiting() {
            connect(to: index, for: next)
        }
    }

    private func connect(to index: Int, for exchange: ProxyExchange) {
        services[index].openCount += 1
        UpstreamConnection.open(to: services[index].address, service: index, pool: self).assumeIsolated()
            .whenComplete { result in
                switch result {
                case .success(let connection):
                    connection.hasConnected = true
                    if exchange.isDone { self.takeBack(connection) } else { exchange.connected(connection) }
                case .failure:
                    self.services[index].openCount -= 1
                    self.noteFailure(of: index)
                    exchange.failed(.unreachable, of: index)
                    self.connectForWaiting(index)
                }
            }
    }

    // MARK: What is known of the services

    func noteBegun(_ index: Int) { roster.began(index) }
    func noteEnded(_ index: Int) { roster.ended(index) }
    func noteSuccess(of index: Int) { roster.succeeded(index) }

    func noteFailure(of index: Int) {
        if roster.failed(index, at: loop.now) { counters?.upstreamEjections.increment() }
    }

    private func check() {
        for (index, service) in services.enumerated() {
            UpstreamCheck.run(service.address, configuration, on: loop).assumeIsolated().whenComplete { result in
                if case .success = result {
                    self.roster.checked(index, isGood: true)
                } else {
                    self.roster.checked(index, isGood: false)
                }
            }
        }
    }

    // MARK: Time

    func enter(_ exchange: ProxyExchange) {
        exchange.position = running.count
        running.append(exchange)
    }

    func leave(_ exchange: ProxyExchange) {
        guard let position = exchange.position, let last = running.popLast() else { return }
        exchange.position = nil
        guard last !== exchange else { return }
        running[position] = last
        last.position = position
    }

    private func look() {
        let now = loop.now
        roster.pass(to: now)
        // A copy: whoever is told leaves the list.
        for exchange in running { exchange.pass(to: now) }
        waiting.removeAll { $0.isDone }
        let end = now - configuration.keepTime
        for service in services {
            // The least used are at the front.
            while let first = service.idle.first, first.idleSince < end {
                service.idle.removeFirst()
                first.close()
            }
        }
    }
}
