// Puts the header of a room's bundle together: at most once a second for each room, however many ask.
import Fairness
import Foundation
package import QueueTokens
import Queueing
package import Redis
import Signing
import Synchronization
import UsherAPI

package final class AuditHeaders: Sendable {
    static let keptFor: Duration = .seconds(1)
    /// More are thinned out; the newest and the one of the seal stay.
    static let checkpointsShownMax = 2000
    /// How long a header waits for the log to come as far as the other records.
    static let looksMax = 100
    static let lookEvery: Duration = .milliseconds(20)

    private struct Kept {
        var at: ContinuousClock.Instant
        var generation: Int
        var body: [UInt8]
    }

    private let store: RoomStore
    private let keys: KeySet
    private let kept = Mutex<[String: Kept]>([:])

    package init(redis: RedisClient, keys: KeySet) {
        store = RoomStore(redis: redis)
        self.keys = keys
    }

    /// Nil while the log is behind the other records.
    func header(of room: RoomSnapshot, log: RoomLog) async throws -> [UInt8]? {
        let known = kept.withLock { $0[room.name.text] }
        if let known, known.generation == room.generation, ContinuousClock.now - known.at < Self.keptFor {
            return known.body
        }
        guard let header = try await make(room, log) else { return nil }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let body = Array(try encoder.encode(header))
        kept.withLock { $0[room.name.text] = Kept(at: .now, generation: room.generation, body: body) }
        return body
    }

    private func make(_ room: RoomSnapshot, _ log: RoomLog) async throws -> BundleHeader? {
        // Claims before moves: every claim that is counted has its call among them.
        var lengths: [RoomStore.Record: Int] = [:]
        for record in [RoomStore.Record.claims, .left, .ties, .moves] {
            lengths[record] = try await store.length(of: record, room.name)
        }
        guard let now = try await store.read(room.name), now.snapshot.generation == room.generation else { return nil }
        for _ in 0..<Self.looksMax where log.count < Int(now.snapshot.lastNumber) {
            try await Task.sleep(for: Self.lookEvery)
        }
        let size = log.count
        guard size >= Int(now.snapshot.lastNumber) else { return nil }
        lengths[.log] = size * RoomStore.Record.log.entryBytes
        let changes = try await store.changes(room.name)
        let notes = try await store.checkpoints(room.name).compactMap { SignedCheckpoint(note: $0) }
            .filter { $0.checkpoint.size <= size }
        return try BundleHeader(
            now,
            lengths: lengths,
            changes: changes,
            checkpoints: Self.thinned(notes, cohort: now.snapshot.order.cohort),
            keys: keys
        )
    }

    static func thinned(_ notes: [SignedCheckpoint], cohort: UInt64?) -> [SignedCheckpoint] {
        guard notes.count > checkpointsShownMax else { return notes }
        let step = (notes.count + checkpointsShownMax - 1) / checkpointsShownMax
        let ofSeal = cohort.flatMap { cohort in notes.firstIndex { $0.checkpoint.size >= Int(cohort) } }
        return notes.enumerated().filter { index, _ in
            index % step == 0 || index == notes.count - 1 || index == ofSeal
        }.map(\.element)
    }
}
