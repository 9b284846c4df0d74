// One request sent on and its reply, both streamed: each side is read only as fast as the other takes.
import EdgeHTTP
import NIOCore
import Operations
import UsherAPI

final class ProxyExchange {
    private static let attemptsMax = 2

    private let forwarding: Forwarding
    private let visitor: ProxyVisitor
    private let requestID: RequestID
    private let counters: EdgeCounters
    private var connection: UpstreamConnection?
    private var renewed: GrantedPass.Renewed?
    /// What came from the visitor before there was a connection: at most what one read brings.
    private var waitingBody: [ByteBuffer] = []
    private var timer: Scheduled<Void>?
    private var attempts = 0
    private var isRequestEnded = false
    private var isRequestSent = false
    private var isReplyBegun = false
    private var mayReuse = true
    /// The visitor has been asked for no more body until the service takes what it was given.
    private var owesRead = false
    private(set) var isDone = false

    init(_ forwarding: Forwarding, visitor: ProxyVisitor, requestID: RequestID, counters: EdgeCounters) {
        self.forwarding = forwarding
        self.visitor = visitor
        self.requestID = requestID
        self.counters = counters
        isRequestEnded = forwarding.head.framing == .none
    }

    func begin() {
        let configuration = forwarding.upstream.configuration
        setTimer(isRequestEnded ? configuration.firstByteTime : configuration.totalTime)
        guard let renewal = forwarding.renewal else {
            connect(mustBeFresh: false)
            return
        }
        renewal.hop(to: visitor.loop).assumeIsolated().whenComplete { result in
            guard !self.isDone else { return }
            if case .success(let renewed) = result { self.renewed = renewed }
            self.connect(mustBeFresh: false)
        }
    }

    private func connect(mustBeFresh: Bool) {
        attempts += 1
        forwarding.upstream.lend(to: self, mustBeFresh: mustBeFresh)
    }

    private func setTimer(_ time: TimeAmount) {
        timer?.cancel()
        timer = visitor.loop.assumeIsolated().scheduleTask(in: time) { self.fail(.timedOut) }
    }

    // MARK: From the visitor

    func sendBody(_ bytes: ByteBuffer) {
        guard !isDone else { return }
        guard let connection else {
            waitingBody.append(bytes)
            return
        }
        connection.write(.body(bytes))
        connection.flush()
        if connection.isWritable { visitor.read() } else { owesRead = true }
    }

    func endBody() {
        guard !isDone, !isRequestEnded else { return }
        isRequestEnded = true
        setTimer(forwarding.upstream.configuration.firstByteTime)
        guard let connection else { return }
        sendEnd(on: connection)
        connection.flush()
    }

    private func sendEnd(on connection: UpstreamConnection) {
        isRequestSent = true
        connection.write(.end)
    }

    func visitorIsWritable() {
        if isReplyBegun { connection?.read() }
    }

    /// The visitor is gone, or its request turned out to be malformed.
    func abandon() {
        finish()
        connection?.close()
        connection = nil
    }

    // MARK: From the pool and the service

    func connected(_ connection: UpstreamConnection) {
        guard !isDone else {
            connection.release()
            return
        }
        self.connection = connection
        connection.lend(to: self)
        connection.write(.head(forwarding.head))
        for bytes in waitingBody { connection.write(.body(bytes)) }
        waitingBody = []
        if isRequestEnded { sendEnd(on: connection) }
        connection.flush()
        connection.read()
        guard !isRequestEnded else { return }
        if connection.isWritable { visitor.read() } else { owesRead = true }
    }

    func upstreamIsWritable() {
        guard owesRead else { return }
        owesRead = false
        visitor.read()
    }

    func received(_ part: EdgeReplyPart) {
        guard !isDone else { return }
        switch part {
        case .head(let head):
            begin(head)
        case .body:
            visitor.give(part)
        case .end:
            finish()
            visitor.give(.end, flush: true)
            if mayReuse, isRequestSent { connection?.release() } else { connection?.close() }
            connection = nil
        case .whole:
            fail(.closedEarly)
        }
    }

    private func begin(_ head: EdgeReplyHead) {
        isReplyBegun = true
        mayReuse = !head.closes
        setTimer(forwarding.upstream.configuration.totalTime)
        if let command = head.headers.first(HeaderName.command) { forwarding.command?(command) }
        var reply = ForwardedHead.reply(head, requestID: requestID, renewed: renewed)
        reply.closes = forwarding.endsConnection
        visitor.give(.head(reply))
    }

    func receivedAll() {
        guard !isDone, let connection else { return }
        if isReplyBegun { visitor.flush() }
        if visitor.isWritable { connection.read() }
    }

    func upstreamClosed() {
        let wasUsed = connection?.wasUsed ?? false
        connection = nil
        guard !isDone else { return }
        // Closed in the pool before it got our request: that request may be sent again, if sending twice does no harm.
        let head = forwarding.head
        if wasUsed, !isReplyBegun, head.framing == .none, head.method.isIdempotent, attempts < Self.attemptsMax {
            retry()
        } else {
            fail(.closedEarly)
        }
    }

    func failed(_ failure: ProxyFailure) {
        guard !isDone else { return }
        // Nothing was sent.
        if failure == .unreachable, attempts < Self.attemptsMax { retry() } else { fail(failure) }
    }

    private func retry() {
        counters.upstreamRetries.increment()
        isRequestSent = false
        connect(mustBeFresh: true)
    }

    private func fail(_ failure: ProxyFailure) {
        guard !isDone else { return }
        counters.upstreamFailures.increment()
        finish()
        connection?.close()
        connection = nil
        guard !isReplyBegun else {
            // The visitor must see that the body is cut short.
            visitor.close()
            return
        }
        let code: ProblemCode =
            switch failure {
            case .unreachable, .closedEarly: .upstreamUnavailable
            case .timedOut: .upstreamTimeout
            case .crowded: .overloaded
            }
        let headers: EdgeHeaders = [HeaderName.requestID: requestID.description, "Retry-After": "2"]
        visitor.give(.whole(EdgeReply(code, requestID: requestID, headers: headers)), flush: true)
    }

    private func finish() {
        isDone = true
        timer?.cancel()
        timer = nil
        waitingBody = []
    }
}
