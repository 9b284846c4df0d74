import Foundation
import Testing

@testable import BookingServer

/// Every point of the source at which booking can die between two steps about money, singly, on the real processes.
@Suite(.serialized) struct CrashWalkTests {
    /// Stacks side by side: a walk is mostly waiting.
    private static let stacks = 2

    @Test func `T28 wherever booking dies, every order ends as it should`() async throws {
        let points = CrashPoints(CrashPoint.names)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<Self.stacks { group.addTask { try await Self.walk(points) } }
            try await group.waitForAll()
        }
    }

    private static func walk(_ points: CrashPoints) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "usher-walk-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "point").path()
        let settings = [
            "USHER_CRASH_FILE": file, "USHER_BOOKING_INTERVAL": "100ms", "USHER_BOOKING_RESCUER_LEASE": "500ms",
            "USHER_PAYMENTS_REFUND_DELAY": "1h", "USHER_BOOKING_COMPARE_INTERVAL": "1h",
        ]
        try await RunningStack.with(environment: settings, options: ["--restart-pause-max", "0"]) { stack in
            let walk = try await CrashWalk(stack, file: file)
            var crossed = 0
            while let point = points.next() {
                let deed = try #require(CrashPoint.Deed.allCases.first { point.hasPrefix("\($0.rawValue).") })
                try await walk.cross(point, CrashFlow.past(deed))
                crossed += 1
            }
            let log = try String(contentsOfFile: stack.folder + "/usher.log", encoding: .utf8)
            let crashes = log.matches(of: /usher-booking ended with/).count
            #expect(crossed > 0 && crashes > crossed, "\(crashes) crashes, one of them before the \(crossed) points")
            try await stack.expectCheckIsClean()
        }
    }
}
