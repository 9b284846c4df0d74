// The owner of one libpq connection: sends a pipeline, waits with a deadline, collects the answers.

import CLibPQ
import Glibc

/// Used by `PostgresConnection` alone, on its own thread; every wait has a deadline.
struct ServerLink: ~Copyable {
    /// What one Sync brought back.
    struct Exchange {
        /// Prepares and executes sent; 0 when it cannot be told.
        var commandCount = 0
        var results: [QueryResult?] = []
        var refusal: PostgresFailure?
    }

    private let connection: OpaquePointer

    /// Connects and waits for it, at most `limit`.
    init(url: String, applicationName: String, limit: Duration) throws(PostgresFailure) {
        let seconds = max(2, Int((limit.wholeMilliseconds + 999) / 1000))
        let parameters = [
            ("dbname", url), ("connect_timeout", "\(seconds)"), ("fallback_application_name", applicationName),
            ("client_encoding", "UTF8"),
        ]
        let names = parameters.map { strdup($0.0) } + [nil]
        let values = parameters.map { strdup($0.1) } + [nil]
        defer { (names + values).forEach { free($0) } }
        let connection = PQconnectdbParams(names.map { UnsafePointer($0) }, values.map { UnsafePointer($0) }, 1)
        guard let connection else { throw .notSent(reason: "out of memory") }
        guard PQstatus(connection) == CONNECTION_OK else {
            let reason = Self.message(of: connection)
            PQfinish(connection)
            throw .notSent(reason: reason)
        }
        PQsetNoticeProcessor(connection, { _, _ in }, nil)
        guard PQsetnonblocking(connection, 1) == 0, PQenterPipelineMode(connection) == 1 else {
            PQfinish(connection)
            throw .notSent(reason: "pipeline mode refused")
        }
        self.connection = connection
    }

    deinit { PQfinish(connection) }

    var reason: String { Self.message(of: connection) }

    /// Whether an idle connection still stands: a server that went away has left its farewell to read.
    func isAlive() -> Bool {
        guard PQstatus(connection) == CONNECTION_OK else { return false }
        var descriptor = pollfd(fd: PQsocket(connection), events: Int16(POLLIN), revents: 0)
        guard poll(&descriptor, 1, 0) != 0 else { return true }
        return PQconsumeInput(connection) == 1 && PQstatus(connection) == CONNECTION_OK
    }

    func sendPrepare(name: String, sql: String, types: [PostgresType]) -> Bool {
        let types = types.map { Oid($0.rawValue) }
        return PQsendPrepare(connection, name, sql, Int32(types.count), types) == 1
    }

    func sendExecute(name: String, parameters: EncodedParameters) -> Bool {
        let formats = [Int32](repeating: 1, count: parameters.ranges.count)
        let lengths = parameters.ranges.map { Int32($0?.count ?? 0) }
        return parameters.bytes.withUnsafeBytes { buffer in
            // An empty buffer has no address, and to libpq no address means null.
            let base = buffer.baseAddress.map { $0.assumingMemoryBound(to: CChar.self) } ?? Self.noBytes
            let values = parameters.ranges.map { range in range.map { base + $0.lowerBound } }
            return PQsendQueryPrepared(connection, name, Int32(values.count), values, lengths, formats, 1) == 1
        }
    }

    /// Ends the pipeline with one Sync and waits for all answers. `commandCount` counts prepares and executes.
    func synchronize(commandCount: Int, limit: Duration) throws(PostgresFailure) -> Exchange {
        let deadline = ContinuousClock.now + limit
        guard PQpipelineSync(connection) == 1 else { throw .notSent(reason: reason) }
        try flush(before: deadline) { .notSent(reason: $0) }
        var exchange = Exchange(commandCount: commandCount)
        while true {
            let result = try nextResult(before: deadline)
            guard let result else {
                guard PQstatus(connection) == CONNECTION_OK else { throw .unknownOutcome(reason: reason) }
                continue
            }
            guard PQresultStatus(result) != PGRES_PIPELINE_SYNC else {
                PQclear(result)
                break
            }
            try take(result, into: &exchange)
        }
        guard exchange.refusal != nil || exchange.results.count == commandCount else {
            throw .unknownOutcome(reason: "\(exchange.results.count) answers to \(commandCount) commands")
        }
        return exchange
    }

    /// Runs several statements, separated by semicolons, as the simple protocol does: one implicit transaction
    /// unless the text says otherwise. Its rows are dropped.
    func runScript(_ sql: String, limit: Duration) throws(PostgresFailure) {
        let deadline = ContinuousClock.now + limit
        guard PQexitPipelineMode(connection) == 1 else { throw .notSent(reason: reason) }
        guard PQsendQuery(connection, sql) == 1 else { throw .notSent(reason: reason) }
        try flush(before: deadline) { .notSent(reason: $0) }
        var exchange = Exchange()
        while let result = try nextResult(before: deadline) { try take(result, into: &exchange) }
        guard PQstatus(connection) == CONNECTION_OK else { throw .unknownOutcome(reason: reason) }
        guard PQenterPipelineMode(connection) == 1 else { throw .unknownOutcome(reason: "pipeline mode refused") }
        if let refusal = exchange.refusal { throw refusal }
    }

    private func take(_ result: OpaquePointer, into exchange: inout Exchange) throws(PostgresFailure) {
        switch PQresultStatus(result) {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK:
            exchange.results.append(QueryResult(taking: result))
        case PGRES_FATAL_ERROR:
            // Answers come in order: a farewell in place of a command's answer says that the commit never came.
            let isUnfinished = exchange.results.count < exchange.commandCount
            let failure = Self.failure(in: result, beforeTheLastAnswer: isUnfinished)
            PQclear(result)
            guard case .refused = failure else { throw failure }
            exchange.refusal = exchange.refusal ?? failure
            exchange.results.append(nil)
        default:
            PQclear(result)
            exchange.results.append(nil)
        }
    }

    private func flush(
        before deadline: ContinuousClock.Instant,
        orElse failure: (String) -> PostgresFailure
    ) throws(PostgresFailure) {
        while true {
            switch PQflush(connection) {
            case 0: return
            case 1:
                // Reading too, else both sides could wait for the other to read.
                guard wait(for: POLLIN | POLLOUT, before: deadline) else { throw failure("the server does not read") }
                guard PQconsumeInput(connection) == 1 else { throw failure(reason) }
            default: throw failure(reason)
            }
        }
    }

    private func nextResult(before deadline: ContinuousClock.Instant) throws(PostgresFailure) -> OpaquePointer? {
        while PQisBusy(connection) == 1 {
            guard wait(for: POLLIN, before: deadline) else {
                throw .unknownOutcome(reason: "no answer within the time limit")
            }
            guard PQconsumeInput(connection) == 1 else { throw .unknownOutcome(reason: reason) }
        }
        return PQgetResult(connection)
    }

    private func wait(for events: Int32, before deadline: ContinuousClock.Instant) -> Bool {
        while true {
            let left = (deadline - .now).wholeMilliseconds
            guard left > 0 else { return false }
            var descriptor = pollfd(fd: PQsocket(connection), events: Int16(events), revents: 0)
            let count = poll(&descriptor, 1, Int32(clamping: left))
            if count > 0 { return true }
            guard count == 0 || errno == EINTR else { return false }
        }
    }

    /// Safe because it is written once, before anybody can read it, and never freed.
    nonisolated(unsafe) private static let noBytes: UnsafePointer<CChar> = {
        let pointer = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
        pointer.initialize(to: 0)
        return UnsafePointer(pointer)
    }()

    private static func message(of connection: OpaquePointer) -> String {
        let text = String(cString: PQerrorMessage(connection))
        return text.isEmpty ? "connection lost" : text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    private static func failure(in result: OpaquePointer, beforeTheLastAnswer isUnfinished: Bool) -> PostgresFailure {
        func field(_ code: Character) -> String? {
            guard let code = code.asciiValue, let text = PQresultErrorField(result, Int32(code)) else { return nil }
            return String(cString: text)
        }
        // Without a state it is libpq that speaks, of a connection that broke.
        guard let state = field("C"), let severity = field("V") else {
            return .unknownOutcome(reason: String(cString: PQresultErrorMessage(result)))
        }
        let message = field("M") ?? ""
        guard severity != "ERROR" else {
            return .refused(sqlState: SQLState(rawValue: state), message: message, constraint: field("n"))
        }
        return isUnfinished ? .notSent(reason: message) : .unknownOutcome(reason: message)
    }
}
