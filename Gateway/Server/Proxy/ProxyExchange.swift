// One request sent on and its reply, both streamed: each side is read only as fast as the other takes.
import EdgeHTTP
import NIOCore
import Operations
import UsherAPI

final class ProxyExchange {
    private static let attemptsMax = 2

    private let forwarding: Forwarding
    private let visitor: ProxyVisitor
    private var pool: UpstreamPool { forwarding.upstream }
    private var connection: UpstreamConnection?
    private var service: Int?
    private var renewed: GrantedPass.Renewed?
    /// What came from the visitor before there was a connection: at most what one read brings.
    private var waitingBody: [ByteBuffer] = []
    private var attempts = 0
    private var isRequestEnded: Bool
    private(set) var isRequestSent = false
    private var isReplyBegun = false
    /// The visitor has been asked for no more body until the service takes what it was given.
    private var owesRead = false
    private var isBeginning = false
    private(set) var isDone = false
    /// In the pool's list of exchanges without a connection.
    var position: Int?
    private var totalEnd = NIODeadline.distantFuture
    private var deadline = NIODeadline.distantFuture
    private var hasProgressed = false

    init(_ forwarding: Forwarding, visitor: ProxyVisitor) {
        self.forwarding = forwarding
        self.visitor = visitor
        isRequestEnded = forwarding.head.framing == .none
    }

    func begin() {
        totalEnd = pool.deadline(after: pool.configuration.totalTime)
        deadline = totalEnd
        guard let renewal = forwarding.renewal else {
            isBeginning = true
            connect(mustBeFresh: false)
            isBeginning = false
            return
        }
        pool.enter(self)
        renewal.hop(to: visitor.loop).assumeIsolated().whenComplete { result in
            guard !self.isDone else { return }
            if case .success(let renewed) = result { self.renewed = renewed }
            self.connect(mustBeFresh: false)
        }
    }

    private func connect(mustBeFresh: Bool, avoiding service: Int? = nil) {
        attempts += 1
        pool.lend(to: self, mustBeFresh: mustBeFresh, avoiding: service)
    }

    // MARK: Time

    /// Before the reply's head: the deadline of what is waited for. Within the body: no silence longer than `quietTime`
    /// (the visitor's own silence is the codec's business).
    func pass(to now: NIODeadline) {
        if hasProgressed || isReplyBegun && !visitor.isWritable {
            hasProgressed = false
            deadline = now + (isReplyBegun ? pool.configuration.quietTime : pool.configuration.firstByteTime)
        }
        if deadline <= now { fail(.timedOut) }
    }

    /// The request is on its way: from now on the reply is waited for, or while there is more to send, the service.
    private func setSendingDeadline(isUploading: Bool) {
        guard isUploading else {
            deadline = min(totalEnd, pool.deadline(after: pool.configuration.firstByteTime))
            return
        }
        deadline = owesRead ? pool.deadline(after: pool.configuration.firstByteTime) : .distantFuture
    }

    // MARK: From the visitor

    func sendBody(_ bytes: ByteBuffer) {
        guard !isDone else { return }
        guard let connection else {
            waitingBody.append(bytes)
            return
        }
        connection.writeBody(bytes)
        connection.flush()
        if connection.isWritable {
            visitor.read()
        } else {
            owesRead = true
            if !isReplyBegun { setSendingDeadline(isUploading: true) }
        }
    }

    func endBody() {
        guard !isDone, !isRequestEnded else { return }
        isRequestEnded = true
        guard let connection else { return }
        totalEnd = pool.deadline(after: pool.configuration.totalTime)
        sendEnd(on: connection)
    }

    private func sendEnd(on connection: UpstreamConnection) {
        isRequestSent = true
        connection.writeEnd()
        connection.flush()
        if !isReplyBegun { setSendingDeadline(isUploading: false) }
    }

    func visitorIsWritable() {
        if isReplyBegun { connection?.readOn() }
    }

    /// The visitor is gone, or its request turned out to be malformed.
    func abandon() {
        finish()
        connection?.close()
        connection = nil
    }

    // MARK: From the pool

    func connected(_ connection: UpstreamConnection) {
        guard !isDone else {
            connection.release()
            return
        }
        if position != nil { pool.leave(self) }
        self.connection = connection
        service = connection.service
        pool.noteBegun(connection.service)
        connection.begin(self, forwarding)
        for bytes in waitingBody { connection.writeBody(bytes) }
        waitingBody = []
        if isRequestEnded {
            sendEnd(on: connection)
            return
        }
        setSendingDeadline(isUploading: true)
        // The head waits for a body that is here already, to go out with it.
        if !isBeginning || !visitor.hasBodyInHand { connection.flush() }
        if connection.isWritable { visitor.read() } else { owesRead = true }
    }

    func upstreamIsWritable() {
        hasProgressed = hasProgressed || !isReplyBegun && !isRequestEnded
        guard owesRead else { return }
        owesRead = false
        if !isReplyBegun, !isRequestEnded { setSendingDeadline(isUploading: true) }
        visitor.read()
    }

    // MARK: From the service

    func received(_ head: UpstreamReplyHead) {
        guard !isDone else { return }
        if head.isEventStream, let connection, !pool.setAside(connection) {
            fail(.crowded)
            return
        }
        visitor.give(.head(begin(head)))
    }

    func received(_ bytes: ByteBuffer) {
        guard !isDone else { return }
        hasProgressed = true
        visitor.give(.body(bytes))
    }

    /// The connection has been given back or closed already.
    func receivedEnd() {
        connection = nil
        guard !isDone else { return }
        finish()
        visitor.give(.end, flush: true)
    }

    /// A whole reply at once.
    func replied(_ head: UpstreamReplyHead, _ body: ByteBuffer) {
        connection = nil
        guard !isDone else { return }
        let forwarded = begin(head)
        finish()
        visitor.give(.head(forwarded))
        visitor.give(.body(body))
        visitor.give(.end, flush: true)
    }

    private func begin(_ head: UpstreamReplyHead) -> EdgeReplyHead {
        isReplyBegun = true
        hasProgressed = true
        if let service { pool.noteSuccess(of: service) }
        return ForwardedHead.reply(head, forwarding, renewed: renewed)
    }

    /// All that one read brought has been given on. Whether there is to be another read.
    func wantsMore() -> Bool {
        if isReplyBegun { visitor.flush() }
        return !isReplyBegun || visitor.isWritable
    }

    func upstreamClosed(_ connection: UpstreamConnection) {
        self.connection = nil
        guard !isDone else { return }
        // Closed in the pool before it got our request: that request may be sent again, if sending twice does no harm.
        let head = forwarding.head
        if connection.wasUsed, !isReplyBegun, head.framing == .none, head.method.isIdempotent,
            attempts < Self.attemptsMax
        {
            retry()
        } else {
            if !connection.wasUsed || isReplyBegun { pool.noteFailure(of: connection.service) }
            fail(.closedEarly)
        }
    }

    /// `service` is the one that failed; the pool knows already when it could not be reached.
    func failed(_ failure: ProxyFailure, of service: Int? = nil) {
        guard !isDone else { return }
        if case .broken = failure, let service {
            connection = nil
            pool.counters.upstreamBroken.increment()
            pool.noteFailure(of: service)
        }
        // Nothing was sent.
        if failure == .unreachable, attempts < Self.attemptsMax { retry(avoiding: service) } else { fail(failure) }
    }

    private func retry(avoiding service: Int? = nil) {
        pool.counters.upstreamRetries.increment()
        leaveService()
        isRequestSent = false
        deadline = totalEnd
        connect(mustBeFresh: true, avoiding: service)
    }

    private func fail(_ failure: ProxyFailure) {
        guard !isDone else { return }
        pool.counters.upstreamFailures.increment()
        if failure == .timedOut, let service, connection != nil, !isReplyBegun { pool.noteFailure(of: service) }
        finish()
        connection?.close()
        connection = nil
        guard !isReplyBegun else {
            // The visitor must see that the body is cut short.
            visitor.flush()
            visitor.close()
            return
        }
        let code: ProblemCode =
            switch failure {
            case .unreachable, .closedEarly, .broken: .upstreamUnavailable
            case .timedOut: .upstreamTimeout
            case .crowded: .overloaded
            }
        var reply = EdgeReply(code, requestID: forwarding.requestID, headers: ["Retry-After": "2"])
        reply.requestID = forwarding.requestID
        visitor.give(.whole(reply), flush: true)
    }

    private func leaveService() {
        if let service { pool.noteEnded(service) }
        service = nil
    }

    private func finish() {
        guard !isDone else { return }
        isDone = true
        leaveService()
        if position != nil { pool.leave(self) }
        waitingBody = []
    }
}
