import BookingDatabase
import Events
import Logging
import Ordering

struct PartitionedEvent: Sendable {
    var partition: Int
    var event: PublishedEvent
}

/// Carries out the effect of events, many in one transaction. When it is refused the events are halved until the one at
/// fault stands alone; that one is tried again and then parked, and later ones of its subject are parked behind it.
struct EventHandling: Sendable {
    private static let roundsMax = 16
    private static let firstPause = Duration.milliseconds(20)

    let group: EventGroup
    let events: EventDatabase
    let owner: String
    let triesMax: Int
    let logger: Logger

    /// Handles events and then moves the group to `moved`; says how many effects there were.
    func handle(
        _ batch: [PartitionedEvent],
        moved: [HeldPartition],
        parkedSubjects: inout Set<String>
    ) async throws(StoreFailure) -> Int {
        var known: Set<String> = []
        var rest = batch.filter { known.insert($0.event.id).inserted }
        for _ in 0..<Self.roundsMax {
            let behind = rest.filter { parkedSubjects.contains($0.event.subject) }
            rest.removeAll { parkedSubjects.contains($0.event.subject) }
            try await park(behind)
            switch try await attempt(rest, moved: moved) {
            case .done: return rest.count
            case .repeated:
                let seen = try await events.seen(rest.map(\.event), group: group.name)
                rest.removeAll { seen.contains($0.event.id) }
            case .refused(let reason):
                guard let only = rest.first else { throw .unavailable(reason) }
                let count =
                    rest.count == 1
                    ? try await insist(only, parkedSubjects: &parkedSubjects)
                    : try await halve(rest, parkedSubjects: &parkedSubjects)
                _ = try await attempt([], moved: moved)
                return count
            }
        }
        throw .overloaded
    }

    private func halve(
        _ batch: [PartitionedEvent],
        parkedSubjects: inout Set<String>
    ) async throws(StoreFailure) -> Int {
        let middle = batch.count / 2
        let front = try await handle(Array(batch[..<middle]), moved: [], parkedSubjects: &parkedSubjects)
        return try await front + handle(Array(batch[middle...]), moved: [], parkedSubjects: &parkedSubjects)
    }

    private func attempt(
        _ batch: [PartitionedEvent],
        moved: [HeldPartition]
    ) async throws(StoreFailure) -> EventOutcome {
        let given = batch.map(\.event)
        return try await events.handle(
            given,
            effect: given.isEmpty ? [] : group.effect(given),
            group: group.name,
            owner: owner,
            moved: moved
        )
    }

    /// Tries one event a few times, with longer and longer pauses, then parks it.
    private func insist(
        _ item: PartitionedEvent,
        parkedSubjects: inout Set<String>
    ) async throws(StoreFailure) -> Int {
        var reason = ""
        for attempt in 1...triesMax {
            switch try await self.attempt([item], moved: []) {
            case .done: return 1
            case .repeated: return 0
            case .refused(let why): reason = why
            }
            if attempt < triesMax, await !Pause.isOver(after: Self.firstPause * (1 << attempt)) {
                throw .unavailable("stopping")
            }
        }
        let parked = ParkedEvent(
            group: group.name,
            partition: item.partition,
            event: item.event,
            attempts: triesMax,
            reason: reason
        )
        _ = try await events.park([parked], group: group.name)
        parkedSubjects.insert(item.event.subject)
        logger.error(
            "event parked",
            metadata: ["group": "\(group.name)", "event.id": "\(item.event.id)", "reason": "\(reason)"]
        )
        return 0
    }

    private func park(_ behind: [PartitionedEvent]) async throws(StoreFailure) {
        var parked = behind.map {
            ParkedEvent(
                group: group.name,
                partition: $0.partition,
                event: $0.event,
                attempts: 0,
                reason: "waits behind an earlier event of \($0.event.subject)"
            )
        }
        for _ in 0..<Self.roundsMax where !parked.isEmpty {
            switch try await events.park(parked, group: group.name) {
            case .done: return
            case .refused(let reason): throw .unavailable(reason)
            case .repeated:
                let seen = try await events.seen(parked.map(\.event), group: group.name)
                parked.removeAll { seen.contains($0.event.id) }
            }
        }
    }

    /// Tries parked events in order; one that fails again holds up those behind it.
    /// - Returns: whether any of them could be handled.
    func retry(_ due: [ParkedEvent]) async throws(StoreFailure) -> Bool {
        var stopped: Set<String> = []
        var isAnyDone = false
        for parked in due where !stopped.contains(parked.event.subject) {
            switch try await events.handleParked(parked, effect: group.effect([parked.event])) {
            case .done: isAnyDone = true
            case .repeated: stopped.insert(parked.event.subject)
            case .refused(let reason):
                stopped.insert(parked.event.subject)
                try await events.recordParkedFailure(parked, reason: reason)
            }
        }
        return isAnyDone
    }
}
