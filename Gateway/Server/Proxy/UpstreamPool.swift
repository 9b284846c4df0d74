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
    private static let lookEvery: TimeAmount = .milliseconds(100)

    package let configuration: UpstreamConfiguration
    let loop: any EventLoop
    private let services: [Service]
    private var roster: UpstreamRoster
    let counters: EdgeCounters
    private var waiting = CircularBuffer<ProxyExchange>()
    /// Exchanges without a connection, each knows its position; those with one are found by it.
    private var unconnected: [ProxyExchange] = []
    private var connections: [UpstreamConnection] = []
    /// Connections that carry a stream of events.
    private var streamCount = 0
    /// When the services were last looked after.
    private var lookedAt: NIODeadline
    private var watch: RepeatedTask?
    private var checks: RepeatedTask?

    private final class Service {
        let address: ServiceAddress
        let authority: String
        var idle: [UpstreamConnection] = []
        /// Open or being opened, streams of events aside.
        var openCount = 0

        init(_ address: ServiceAddress) {
            self.address = address
            authority = address.authority
        }
    }

    package init(_ configuration: UpstreamConfiguration, loop: any EventLoop, counters: EdgeCounters) {
        self.configuration = configuration
        self.loop = loop
        self.counters = counters
        services = configuration.addresses.map { Service($0) }
        lookedAt = loop.now
        roster = UpstreamRoster(count: services.count, rule: configuration.ejection)
    }

    /// Watches deadlines, unused connections and services from now on; call it on the loop.
    package func begin() {
        let bound = NIOLoopBound(self, eventLoop: loop)
        watch = loop.scheduleRepeatedTask(initialDelay: Self.lookEvery, delay: Self.lookEvery) { _ in
            bound.value.look()
        }
        guard services.count > 1 else { return }
        let interval = configuration.checkInterval
        checks = loop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in bound.value.check() }
    }

    package func stop() {
        watch?.cancel()
        checks?.cancel()
        for service in services {
            for connection in service.idle { connection.close() }
        }
    }

    func authority(of index: Int) -> String { services[index].authority }

    // MARK: Lending

    /// Calls `connected` or `failed` of the exchange, now or later.
    func lend(to exchange: ProxyExchange, mustBeFresh: Bool, avoiding avoided: Int? = nil) {
        let index = isAlone ? 0 : roster.choose(avoiding: avoided)
        let service = services[index]
        while !mustBeFresh, let connection = service.idle.popLast() {
            guard connection.isOpen else { continue }
            exchange.connected(connection)
            return
        }
        enter(exchange)
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
        connection.idleSince = lookedAt
        services[connection.service].idle.append(connection)
    }

    /// A stream of events is to take no connection from those who buy: it is counted apart, under a bound of its own,
    /// and its connection is not used again. False when there are too many.
    func setAside(_ connection: UpstreamConnection) -> Bool {
        guard streamCount < configuration.streamsPerLoopMax else { return false }
        streamCount += 1
        connection.isSetAside = true
        services[connection.service].openCount -= 1
        counters.upstreamStreams.increment()
        connectForWaiting(connection.service)
        return true
    }

    func closed(_ connection: UpstreamConnection) {
        let service = services[connection.service]
        service.idle.removeAll { $0 === connection }
        if connection.isSetAside { streamCount -= 1 } else { service.openCount -= 1 }
        forget(connection)
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
                    connection.position = self.connections.count
                    self.connections.append(connection)
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

    private var isAlone: Bool { services.count == 1 }

    func noteBegun(_ index: Int) {
        if !isAlone { roster.began(index) }
    }

    func noteEnded(_ index: Int) {
        if !isAlone { roster.ended(index) }
    }

    func noteSuccess(of index: Int) {
        if !isAlone { roster.succeeded(index) }
    }

    func noteFailure(of index: Int) {
        if roster.failed(index, at: loop.now) { counters.upstreamEjections.increment() }
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

    /// When something that may take `time` from now on must be over: never early, and late by two looks at most.
    func deadline(after time: TimeAmount) -> NIODeadline { lookedAt + time + Self.lookEvery }

    /// Watches the deadline of an exchange that has no connection.
    func enter(_ exchange: ProxyExchange) {
        guard exchange.position == nil else { return }
        exchange.position = unconnected.count
        unconnected.append(exchange)
    }

    func leave(_ exchange: ProxyExchange) {
        guard let position = exchange.position, let last = unconnected.popLast() else { return }
        exchange.position = nil
        guard last !== exchange else { return }
        unconnected[position] = last
        last.position = position
    }

    private func forget(_ connection: UpstreamConnection) {
        guard let last = connections.popLast(), last !== connection else { return }
        connections[connection.position] = last
        last.position = connection.position
    }

    private func look() {
        let now = loop.now
        roster.pass(to: now)
        lookedAt = now
        // Copies: whoever is told leaves the list.
        for exchange in unconnected { exchange.pass(to: now) }
        for connection in connections { connection.pass(to: now) }
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
