import Foundation
import UnixSignals

/// Runs the body until it ends or Ctrl-C comes, then stops the stack in order.
enum Foreground {
    /// Status of a program that Ctrl-C ended while it had more to do.
    private static let interrupted: Int32 = 130

    static func run(_ stack: Stack, _ body: @escaping @Sendable () async throws -> Int32) async -> Int32 {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
        let status = await withTaskGroup(of: Int32.self) { group in
            group.addTask {
                do {
                    return try await body()
                } catch is CancellationError {
                    return interrupted
                } catch {
                    FileHandle.standardError.write(Data("usher: \(error)\n".utf8))
                    return 2
                }
            }
            group.addTask {
                for await _ in signals { return 0 }
                return 0
            }
            let first = await group.next() ?? 0
            group.cancelAll()
            return first
        }
        Terminal.say("usher: stopping")
        await stack.stop()
        Terminal.say("usher: everything is stopped")
        return status
    }
}
