import CLibPQ

/// Where the server is and what one process may ask of it.
package struct PostgresConfiguration: Sendable {
    /// A libpq connection string or URI, for example `postgresql:///usher?host=/run/usher&user=usher`.
    package let url: String
    package var applicationName = "usher"
    package var connectionsMax = 8
    /// Callers that may wait for a free connection at once.
    package var waitersMax = 4096
    /// How long a caller waits for a free connection.
    package var waitLimit: Duration = .seconds(2)
    package var connectLimit: Duration = .seconds(5)
    /// The server ends a statement that runs longer (`statement_timeout`).
    package var statementLimit: Duration = .seconds(10)
    /// The server ends a wait for a row lock that lasts longer (`lock_timeout`).
    package var lockLimit: Duration = .seconds(5)
    /// Further settings of each connection, for example of the planner; names and values come from the program.
    package var sessionSettings: [String: String] = [:]
    /// First and longest pause before a lost connection is opened again; each is drawn from half to full.
    package var reconnectPause: ClosedRange<Duration> = .milliseconds(50) ... .seconds(3)

    /// - Throws: `PostgresFailure.notSent` when libpq does not understand `url`.
    package init(url: String) throws(PostgresFailure) {
        var message: UnsafeMutablePointer<CChar>?
        let options = PQconninfoParse(url, &message)
        defer { PQfreemem(message) }
        guard let options else {
            let reason = message.map { String(cString: $0) } ?? "no reason given"
            throw .notSent(reason: "malformed connection string: \(reason)")
        }
        PQconninfoFree(options)
        self.url = url
    }

    /// A whole answer of the server may take this long before the connection is given up.
    var answerLimit: Duration { statementLimit + .seconds(2) }
}

extension Duration {
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}
