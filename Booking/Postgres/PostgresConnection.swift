/// One connection to PostgreSQL, on a thread of its own, with its prepared statements.
package actor PostgresConnection {
    /// Statements prepared on one connection; beyond it they are parsed at each use.
    private static let preparedMax = 512

    private struct Prepared {
        let serverName: String
        let sql: String
        let types: [PostgresType]
    }

    private nonisolated let thread = BlockingThread()
    private let configuration: PostgresConfiguration
    private var link: ServerLink?
    private var prepared: [String: [Prepared]] = [:]
    private var preparedCount = 0

    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    package init(configuration: PostgresConfiguration) {
        self.configuration = configuration
    }

    // Nobody can call an actor that is being freed, so no job can come after this.
    deinit { thread.stop() }

    package var isOpen: Bool { link != nil }

    /// Opens the connection, or opens it anew.
    package func open() throws(PostgresFailure) {
        close()
        link = try ServerLink(
            url: configuration.url,
            applicationName: configuration.applicationName,
            limit: configuration.connectLimit
        )
        do {
            var settings = configuration.sessionSettings
            settings["statement_timeout"] = "\(configuration.statementLimit.wholeMilliseconds)"
            settings["lock_timeout"] = "\(configuration.lockLimit.wholeMilliseconds)"
            settings["TimeZone"] = "UTC"
            try script(settings.map { "SET \($0.key) = '\($0.value)';" }.joined())
        } catch {
            close()
            throw .notSent(reason: "the connection could not be set up: \(error)")
        }
    }

    package func close() {
        link = nil
        prepared = [:]
        preparedCount = 0
    }

    /// Runs one statement in a transaction of its own.
    package func execute(_ statement: Statement) throws(PostgresFailure) -> QueryResult {
        guard let result = try transaction([statement]).first else { throw .unreadable("no result") }
        return result
    }

    /// Runs the statements in one round trip, ended by one Sync: one implicit transaction, all or nothing.
    ///
    /// The connection is closed when it is lost or when its answer does not come in time.
    package func transaction(_ statements: [Statement]) throws(PostgresFailure) -> [QueryResult] {
        guard !statements.isEmpty else { return [] }
        guard link?.isAlive() == true else {
            close()
            throw .notSent(reason: "the connection is closed")
        }
        // Encoded first: a value that cannot be sent must not leave a half-sent pipeline behind.
        var encoded: [EncodedParameters] = []
        for statement in statements { encoded.append(try EncodedParameters(statement.parameters)) }
        do {
            return try exchange(statements, encoded)
        } catch {
            if case .refused(let state, _, _) = error {
                // A plan gone stale (a changed table, a server without our statements) heals with a new connection.
                if ["0A000", "26000"].contains(state.rawValue) { close() }
            } else {
                close()
            }
            throw error
        }
    }

    /// Runs a text of several statements; for migrations and setting up.
    package func script(_ sql: String) throws(PostgresFailure) {
        guard link != nil else { throw .notSent(reason: "the connection is closed") }
        do {
            try link?.runScript(sql, limit: configuration.answerLimit)
        } catch {
            guard case .refused = error else {
                close()
                throw error
            }
            throw error
        }
    }

    private func exchange(
        _ statements: [Statement],
        _ encoded: [EncodedParameters]
    ) throws(PostgresFailure) -> [QueryResult] {
        var newlyPrepared: [(answer: Int, name: String, entry: Prepared)] = []
        var executions: [Int] = []
        var answer = 0
        for (statement, parameters) in zip(statements, encoded) {
            let types = statement.parameters.map(\.type)
            let known = prepared[statement.name]?.first { $0.types == types && $0.sql == statement.sql }
            let pending = newlyPrepared.first {
                $0.name == statement.name && $0.entry.types == types && $0.entry.sql == statement.sql
            }
            var serverName = known?.serverName ?? pending?.entry.serverName
            if serverName == nil {
                let isKept = preparedCount < Self.preparedMax
                let name = isKept ? "\(statement.name)#\(preparedCount)" : ""
                guard link?.sendPrepare(name: name, sql: statement.sql, types: types) == true else {
                    throw .notSent(reason: link?.reason ?? "closed")
                }
                if isKept {
                    preparedCount += 1
                    let entry = Prepared(serverName: name, sql: statement.sql, types: types)
                    newlyPrepared.append((answer, statement.name, entry))
                }
                answer += 1
                serverName = name
            }
            guard let serverName, link?.sendExecute(name: serverName, parameters: parameters) == true else {
                throw .notSent(reason: link?.reason ?? "closed")
            }
            executions.append(answer)
            answer += 1
        }
        guard let exchange = try link?.synchronize(commandCount: answer, limit: configuration.answerLimit) else {
            throw .notSent(reason: "closed")
        }
        for (answer, name, entry) in newlyPrepared
        where answer < exchange.results.count && exchange.results[answer] != nil {
            prepared[name, default: []].append(entry)
        }
        if let refusal = exchange.refusal { throw refusal }
        return try results(of: exchange, at: executions)
    }

    private func results(of exchange: ServerLink.Exchange, at indices: [Int]) throws(PostgresFailure) -> [QueryResult] {
        var results: [QueryResult] = []
        for index in indices {
            guard let result = exchange.results[index] else { throw .unreadable("a statement without answer") }
            results.append(result)
        }
        return results
    }
}
