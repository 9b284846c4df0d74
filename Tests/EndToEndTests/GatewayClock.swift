import Foundation
import Glibc
import Testing

/// The wall clock of a process that is started with its environment: it can be turned at any time, and nothing but it is.
final class GatewayClock: Sendable {
    private static let library = RunningStack.program("libusher-wall-clock.so")
    private let path: String
    private let descriptor: CInt

    init() throws {
        try #require(FileManager.default.fileExists(atPath: Self.library), "build all products: \(Self.library)")
        path = "/tmp/usher-clock-\(UUID().uuidString.prefix(8))"
        descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        set(.zero)
    }

    deinit {
        close(descriptor)
        unlink(path)
    }

    var environment: [String: String] { ["LD_PRELOAD": Self.library, "USHER_TEST_WALL_CLOCK": path] }

    /// How far the clock is ahead, from now on.
    func set(_ ahead: Duration) {
        let milliseconds = Int64(ahead / .milliseconds(1))
        let written = withUnsafeBytes(of: milliseconds) { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        #expect(written == 8, "\(path) takes the shift")
    }
}
