// Keeps one connection to the server: connects, logs in, reconnects, and holds the calls that wait for the socket.

import Logging
import NIOCore
import NIOPosix
import Synchronization

// Safe because every stored variable is touched on `loop` only, where the entry points hop first; `ready` is atomic.
final class RedisLine: @unchecked Sendable {
    private enum Phase {
        /// No attempt has ended yet: calls wait until their own deadline.
        case starting
        case ready(RedisWire)
        /// Without connection; calls wait until `graceEnd`, then fail at once with `reason`.
        case lost(graceEnd: NIODeadline, reason: String)
        case stopped
    }

    let loop: any EventLoop
    private let configuration: RedisConfiguration
    private let logger: Logger
    private let ready = Atomic<Bool>(false)
    private static let drainLook = TimeAmount.milliseconds(5)

    private var phase = Phase.starting
    private var ended: EventLoopPromise<Void>?
    private var isDraining = false
    private var unsent = CircularBuffer<RedisCall>()
    private var unsentCommands = 0
    private var flushIsScheduled = false
    private var timer: Scheduled<Void>?
    private var timerDue = NIODeadline.distantFuture
    private var reconnect: Scheduled<Void>?
    private var failedAttempts = 0

    init(configuration: RedisConfiguration, loop: any EventLoop, logger: Logger) {
        self.configuration = configuration
        self.loop = loop
        self.logger = logger
    }

    /// Whether the connection is logged in; for any thread, a moment old.
    var isReady: Bool { ready.load(ordering: .relaxed) }

    // MARK: Calls

    /// Takes a call from any thread. Its completion runs on `loop`, or at once when the call cannot be taken.
    func submit(_ call: RedisCall) {
        if loop.inEventLoop {
            accept(call)
        } else {
            loop.execute { self.accept(call) }
        }
    }

    private func accept(_ call: RedisCall) {
        var deadline = call.deadline
        switch phase {
        case .starting:
            break
        case .ready(let wire):
            guard !isDraining else { return call.complete(.failure(.notSent(reason: "the client is stopping"))) }
            guard wire.inFlight + unsentCommands + call.commandCount <= configuration.inFlightMax else {
                return call.complete(.failure(.tooManyInFlight))
            }
            scheduleFlush()
        case .lost(let graceEnd, let reason):
            guard NIODeadline.now() < graceEnd else { return call.complete(.failure(.notSent(reason: reason))) }
            deadline = min(deadline, graceEnd)
        case .stopped:
            return call.complete(.failure(.notSent(reason: "the client has stopped")))
        }
        guard unsentCommands + call.commandCount <= configuration.inFlightMax else {
            return call.complete(.failure(.tooManyInFlight))
        }
        unsent.append(call)
        unsentCommands += call.commandCount
        arm(deadline)
    }

    /// Writes once per turn of the event loop, so that calls made in one turn share a system call.
    private func scheduleFlush() {
        guard !flushIsScheduled else { return }
        flushIsScheduled = true
        loop.execute {
            self.flushIsScheduled = false
            self.flush()
        }
    }

    private func flush() {
        guard case .ready(let wire) = phase, wire.isWritable else { return }
        let now = NIODeadline.now()
        while let call = unsent.popFirst() {
            unsentCommands -= call.commandCount
            guard call.deadline > now else {
                call.complete(.failure(.notSent(reason: "the deadline passed before it could be written")))
                continue
            }
            wire.send(call)
        }
        wire.flush()
    }

    // MARK: Deadlines

    private func arm(_ deadline: NIODeadline) {
        guard deadline < timerDue else { return }
        timer?.cancel()
        timerDue = deadline
        timer = loop.scheduleTask(deadline: deadline) { self.timerFired() }
    }

    private func timerFired() {
        timerDue = .distantFuture
        let now = NIODeadline.now()
        var next = expireUnsent(now: now)
        if case .ready(let wire) = phase {
            let stall = wire.oldestDeadline.map { $0 + TimeAmount(configuration.stallMax) }
            next = [next, wire.expire(now: now), stall].compactMap { $0 }.min()
            if let stall, stall <= now { return wire.close(reason: "no reply for too long") }
        }
        if let next { arm(next) }
    }

    private func expireUnsent(now: NIODeadline) -> NIODeadline? {
        var graceEnd = NIODeadline.distantFuture
        var reason = "the deadline passed before there was a connection"
        if case .lost(let end, let why) = phase { (graceEnd, reason) = (end, why) }
        var waiting = CircularBuffer<RedisCall>()
        var late: [RedisCall] = []
        var next: NIODeadline?
        for call in unsent {
            let deadline = min(call.deadline, graceEnd)
            if deadline <= now {
                late.append(call)
            } else {
                waiting.append(call)
                next = min(next ?? deadline, deadline)
            }
        }
        unsent = waiting
        unsentCommands -= late.reduce(0) { $0 + $1.commandCount }
        for call in late { call.complete(.failure(.notSent(reason: reason))) }
        return next
    }

    // MARK: Connecting

    /// Connects and stays connected until `stop`. A line runs once.
    /// - Returns: succeeds when the line has stopped.
    func start() -> EventLoopFuture<Void> {
        let promise = loop.makePromise(of: Void.self)
        loop.execute {
            guard self.ended == nil else { return promise.fail(AlreadyRunning()) }
            self.ended = promise
            self.connect()
        }
        return promise.futureResult
    }

    private func connect() {
        reconnect = nil
        let login = RedisLogin(configuration: configuration, loop: loop)
        login.open().whenComplete { result in
            switch result {
            case .success(let bound): self.connected(bound.value)
            case .failure(let error): self.failedToConnect("\(error)")
            }
        }
    }

    private func connected(_ wire: RedisWire) {
        if case .stopped = phase { return wire.close(reason: "the client has stopped") }
        guard wire.isOpen else { return failedToConnect("the connection was lost while logging in") }
        if failedAttempts > 0 { logger.notice("redis: connected again", metadata: ["address": "\(configuration)"]) }
        failedAttempts = 0
        phase = .ready(wire)
        ready.store(true, ordering: .relaxed)
        wire.onClose = { [self] reason in lose(reason) }
        wire.onWritable = { [self] in flush() }
        flush()
        if let next = unsent.lazy.map(\.deadline).min() { arm(next) }
    }

    private func failedToConnect(_ reason: String) {
        if case .stopped = phase { return }
        if failedAttempts == 0 {
            logger.warning("redis: cannot connect", metadata: ["address": "\(configuration)", "reason": "\(reason)"])
        }
        if case .starting = phase { phase = .lost(graceEnd: .now(), reason: reason) }
        if case .lost(let graceEnd, _) = phase { phase = .lost(graceEnd: graceEnd, reason: reason) }
        tryAgain()
        timerFired()
    }

    private func lose(_ reason: String) {
        ready.store(false, ordering: .relaxed)
        if isDraining { return finish() }
        logger.warning("redis: connection lost", metadata: ["address": "\(configuration)", "reason": "\(reason)"])
        phase = .lost(graceEnd: .now() + TimeAmount(configuration.lossGrace), reason: reason)
        tryAgain()
        timerFired()
    }

    private func tryAgain() {
        let full = configuration.backOffFirst * (1 << min(failedAttempts, 16))
        failedAttempts += 1
        let wait = min(full, configuration.backOffMax) * Double.random(in: 0.5...1)
        reconnect = loop.scheduleTask(in: TimeAmount(wait)) { self.connect() }
    }

    // MARK: Stopping

    /// Refuses new calls, waits for the replies still to come (their deadlines bound the wait), closes.
    func stop() {
        loop.execute {
            guard !self.isDraining else { return }
            self.isDraining = true
            self.flush()
            self.closeWhenDrained()
        }
    }

    private func closeWhenDrained() {
        guard case .ready(let wire) = phase else { return finish() }
        guard wire.hasLiveCalls, wire.isOpen else { return wire.close(reason: "the client has stopped") }
        loop.scheduleTask(in: Self.drainLook) { self.closeWhenDrained() }
    }

    private func finish() {
        if case .stopped = phase { return }
        phase = .stopped
        reconnect?.cancel()
        timer?.cancel()
        let left = unsent
        unsent.removeAll()
        unsentCommands = 0
        for call in left { call.complete(.failure(.notSent(reason: "the client has stopped"))) }
        ended?.succeed()
    }
}

/// `run()` was called twice.
private struct AlreadyRunning: Error {}
