// What an operator's tools ask of a process: is it alive, can it serve, what do its numbers say.

/// A small answer for operators.
package struct OperationsReply: Sendable, Equatable {
    package var status: Int
    package var contentType: String
    package var body: String

    package init(status: Int, contentType: String = "text/plain; charset=utf-8", body: String) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }
}

/// `/healthz` (the process runs), `/readyz` (every named check passes and it is not draining) and `/metrics`.
package struct OperationsPages: Sendable {
    /// Answers `nil` when all is well, else what is wrong in a few words.
    package typealias Check = @Sendable () async -> String?

    private let metrics: MetricsRegistry
    private let checks: [(name: String, check: Check)]
    private let notes: [(name: String, note: @Sendable () -> String)]

    /// `notes` are shown on the readiness page and decide nothing.
    package init(
        metrics: MetricsRegistry,
        checks: [(name: String, check: Check)],
        notes: [(name: String, note: @Sendable () -> String)] = []
    ) {
        self.metrics = metrics
        self.checks = checks
        self.notes = notes
    }

    /// - Returns: `nil` when the path is none of the three.
    package func answer(path: String) async -> OperationsReply? {
        switch path {
        case "/healthz": OperationsReply(status: 200, body: "ok\n")
        case "/readyz": await readiness()
        case "/metrics":
            OperationsReply(status: 200, contentType: "text/plain; version=0.0.4; charset=utf-8", body: metrics.page())
        default: nil
        }
    }

    private func readiness() async -> OperationsReply {
        var lines: [String] = []
        var isReady = true
        for (name, check) in checks {
            let wrong = await check()
            isReady = isReady && wrong == nil
            lines.append("\(name): \(wrong ?? "ok")")
        }
        for (name, note) in notes { lines.append("\(name): \(note())") }
        return OperationsReply(status: isReady ? 200 : 503, body: lines.joined(separator: "\n") + "\n")
    }
}
