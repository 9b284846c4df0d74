// The rooms of all event loops: hands each loop its own, and every new view to all of them.
package import NIOCore
import Queueing
import Signing
import Synchronization

package final class Rooms: Sendable {
    private let loops: [ObjectIdentifier: NIOLoopBound<LoopRooms>]
    private let eventLoops: [any EventLoop]
    private let latest = Mutex(RoomsView())

    /// Makes the rooms of each loop, on that loop.
    package static func make(on group: any EventLoopGroup, supplies: RoomSupplies) async throws -> Rooms {
        var loops: [ObjectIdentifier: NIOLoopBound<LoopRooms>] = [:]
        var eventLoops: [any EventLoop] = []
        for loop in group.makeIterator() {
            let seed = SecureRandom.bytes(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            loops[ObjectIdentifier(loop)] = try await loop.submit {
                NIOLoopBound(LoopRooms(loop: loop, supplies: supplies, seed: seed), eventLoop: loop)
            }.get()
            eventLoops.append(loop)
        }
        return Rooms(loops: loops, eventLoops: eventLoops)
    }

    private init(loops: [ObjectIdentifier: NIOLoopBound<LoopRooms>], eventLoops: [any EventLoop]) {
        self.loops = loops
        self.eventLoops = eventLoops
    }

    /// The rooms of a loop; call it on that loop.
    package func on(_ loop: any EventLoop) -> LoopRooms {
        guard let rooms = loops[ObjectIdentifier(loop)] else {
            preconditionFailure("an event loop that is not of the gateway's group asks for its rooms")
        }
        return rooms.value
    }

    /// The view that was handed out last; for services and the admin, not for the hot path.
    package var view: RoomsView { latest.withLock { $0 } }

    /// Changes the view and hands it to every loop.
    package func update(_ change: (inout RoomsView) -> Void) {
        let view = latest.withLock { view in
            change(&view)
            return view
        }
        for loop in eventLoops {
            guard let rooms = loops[ObjectIdentifier(loop)] else { continue }
            loop.execute { rooms.value.use(view) }
        }
    }

    /// Waits until every loop of this gateway knows the room as the store has it, at most `limit`. Other gateways learn of it with their
    /// next pull.
    package func waitUntilKnown(_ name: String, within limit: Duration) async throws {
        let deadline = ContinuousClock.now + limit
        while view.rooms[name]?.snapshot.isDegraded ?? true, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(10))
        }
        // What was handed to a loop before this is in force there after it.
        for loop in eventLoops { try await loop.submit {}.get() }
    }
}
