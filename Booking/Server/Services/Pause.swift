import ServiceLifecycle

/// Sleeps of service loops.
enum Pause {
    /// `false` when the loop is to end.
    static func isOver(after duration: Duration) async -> Bool {
        do {
            try await Task.sleep(for: duration)
            return true
        } catch {
            return false
        }
    }

    /// Does one round now, and the next `interval` after each has ended, until the service is to stop.
    static func between(rounds interval: Duration, _ round: @escaping @Sendable () async -> Void) async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await round()
                guard await isOver(after: interval) else { return }
            }
        }
    }
}
