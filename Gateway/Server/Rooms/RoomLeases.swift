// Which rooms this gateway leads: set by the ticker, read by whoever else acts for the leader.
package import Queueing
import Signing
import Synchronization

package final class RoomLeases: Sendable {
    /// Who leads, in the lease: one of these in each process.
    package let owner = Hex.encode(SecureRandom.bytes(8))
    private let fences = Mutex<[RoomName: Int]>([:])

    package init() {}

    /// Nil when another gateway leads. The lease may have ended meanwhile: Redis checks it at every write.
    package func fence(of room: RoomName) -> Int? { fences.withLock { $0[room] } }

    package func lease(of room: RoomName) -> RoomLease? {
        fence(of: room).map { RoomLease(owner: owner, fence: $0) }
    }

    func set(_ fence: Int?, of room: RoomName) { fences.withLock { $0[room] = fence } }
}
