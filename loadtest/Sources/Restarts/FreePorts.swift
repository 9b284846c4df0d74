// Ports nobody listens on, and a flag that many tasks look at.
import NIOCore
import NIOPosix
import Synchronization

enum FreePorts {
    /// Found by binding them all at once.
    static func find(_ count: Int, on group: MultiThreadedEventLoopGroup) async throws -> [Int] {
        var channels: [any Channel] = []
        for _ in 0..<count {
            channels.append(try await ServerBootstrap(group: group).bind(host: "127.0.0.1", port: 0).get())
        }
        let ports = channels.compactMap { $0.localAddress?.port }
        for channel in channels { try await channel.close().get() }
        return ports
    }
}

final class GoesOn: Sendable {
    private let value = Atomic<Bool>(true)

    var isSet: Bool { value.load(ordering: .relaxed) }
    func clear() { value.store(false, ordering: .relaxed) }
}
