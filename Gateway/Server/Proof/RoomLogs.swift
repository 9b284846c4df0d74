// The arrival logs this gateway holds, by room: written by the keeper, read by endpoints and by the draw.
package import Queueing
import Synchronization

package final class RoomLogs: Sendable {
    private let logs = Mutex<[RoomName: RoomLog]>([:])

    package init() {}

    /// Nil until the keeper has opened it, and when it is of another generation than asked for.
    package func log(of room: RoomName, generation: Int) -> RoomLog? {
        logs.withLock { $0[room] }.flatMap { $0.generation == generation ? $0 : nil }
    }

    package func log(of room: RoomSnapshot) -> RoomLog? { log(of: room.name, generation: room.generation) }

    func set(_ log: RoomLog?, of room: RoomName) { logs.withLock { $0[room] = log } }

    /// For the readiness page: nil when every log may be signed, or only waits for the store.
    package var fault: String? {
        let faults = logs.withLock { Array($0.values) }.compactMap { log in
            log.hold.flatMap { $0.isFault ? "\(log.room): \($0.text)" : nil }
        }
        return faults.isEmpty ? nil : faults.sorted().joined(separator: "; ")
    }
}
