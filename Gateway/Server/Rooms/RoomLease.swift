// Who leads a room: the right to call, rank, draw and sign, for as long as the store says so.
import Redis

/// Shown to every function that only the leader may call; an old fence is refused.
package struct RoomLease: Sendable, Hashable {
    package var owner: String
    package var fence: Int

    package init(owner: String, fence: Int) {
        self.owner = owner
        self.fence = fence
    }

    var arguments: [RedisArgument] { [.text(owner), .integer(fence)] }
}
