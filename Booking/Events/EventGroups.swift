// What consumers keep in PostgreSQL.

/// A partition that a member holds, and how far the group has come in it.
package struct HeldPartition: Sendable, Equatable {
    package var number: Int
    package var position: StreamPosition
    /// Every event of the partition up to here has been handled.
    package var cut: OutboxPlace

    package init(number: Int, position: StreamPosition, cut: OutboxPlace) {
        self.number = number
        self.position = position
        self.cut = cut
    }
}

/// How far the relay has come, as committed.
package struct RelayState: Sendable, Equatable {
    /// Everything up to here is published.
    package var place: OutboxPlace
    /// The number of the next batch.
    package var batch: Int
    /// The last position of each stream.
    package var tails: [StreamPosition]

    package init(place: OutboxPlace, batch: Int, tails: [StreamPosition]) {
        self.place = place
        self.batch = batch
        self.tails = tails
    }
}

/// What a member learns from its beat.
package struct GroupShare: Sendable {
    package var partitions: [HeldPartition]
    package var relay: RelayState
    /// Subjects whose events wait behind one that could not be handled.
    package var parkedSubjects: Set<String>

    package init(partitions: [HeldPartition], relay: RelayState, parkedSubjects: Set<String>) {
        self.partitions = partitions
        self.relay = relay
        self.parkedSubjects = parkedSubjects
    }
}

/// What a group has still to handle of what is published.
package struct GroupLag: Sendable, Equatable {
    package var group: String
    package var count: Int
    /// Of the oldest of them.
    package var oldest: Duration

    package init(group: String, count: Int, oldest: Duration) {
        self.group = group
        self.count = count
        self.oldest = oldest
    }
}

/// An event that could not be handled, or that comes after such a one of its subject.
package struct ParkedEvent: Sendable, Equatable {
    package static let reasonBytesMax = 500

    package var group: String
    package var partition: Int
    package var event: PublishedEvent
    /// 0 for one that only waits behind another.
    package var attempts: Int
    package var reason: String
    package var isToBeRetried: Bool
    package var parkedAt: Int64

    package init(
        group: String,
        partition: Int,
        event: PublishedEvent,
        attempts: Int,
        reason: String,
        isToBeRetried: Bool = false,
        parkedAt: Int64 = 0
    ) {
        self.group = group
        self.partition = partition
        self.event = event
        self.attempts = attempts
        self.reason = reason
        self.isToBeRetried = isToBeRetried
        self.parkedAt = parkedAt
    }
}
