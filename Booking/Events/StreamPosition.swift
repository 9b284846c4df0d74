/// Where an entry is in its stream: the relay's batch, and the turn of the entry among those of its stream in the batch.
/// It is also the entry's id in Redis, `<batch>-<index>`. Batches are numbered in PostgreSQL and only ever grow, so
/// positions stay in order when Redis has lost its streams.
package struct StreamPosition: Hashable, Comparable, Sendable, CustomStringConvertible {
    package static let start = StreamPosition(batch: 0, index: 0)
    /// Entries of one stream in one batch.
    package static let indexMax = 65_535

    package var batch: Int
    package var index: Int

    package init(batch: Int, index: Int) {
        self.batch = batch
        self.index = index
    }

    /// As one number, for the database.
    package init(encoded: Int) {
        self.init(batch: encoded >> 16, index: encoded & Self.indexMax)
    }

    package var encoded: Int { batch << 16 | index }

    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-")
        guard parts.count == 2, let batch = Int(parts[0]), let index = Int(parts[1]), index <= Self.indexMax else {
            return nil
        }
        self.init(batch: batch, index: index)
    }

    package var description: String { "\(batch)-\(index)" }

    package static func < (one: Self, other: Self) -> Bool { one.encoded < other.encoded }
}

package struct StreamEntry: Sendable {
    package var position: StreamPosition
    /// The last batch before this one that had entries for the stream.
    package var previousBatch: Int
    /// Everything up to here was published before this batch.
    package var cut: OutboxPlace
    package var event: PublishedEvent

    package init(position: StreamPosition, previousBatch: Int, cut: OutboxPlace, event: PublishedEvent) {
        self.position = position
        self.previousBatch = previousBatch
        self.cut = cut
        self.event = event
    }

    /// Whether nothing can be missing between `position` and this entry: it is the next of the same batch, or the
    /// first of a batch whose predecessor has been reached.
    package func follows(_ position: StreamPosition) -> Bool {
        if self.position.batch == position.batch { return self.position.index == position.index + 1 }
        return self.position.index == 0 && previousBatch <= position.batch
    }
}

/// The last number seen of each subject, as a second guard beside the streams' own chain: bounded, and without it
/// nothing is taken for a gap.
package struct SequenceMemory: Sendable {
    private let subjectsMax: Int
    private var last: [String: Int] = [:]

    package init(subjectsMax: Int = 16_384) { self.subjectsMax = subjectsMax }

    /// `false` when an event of the subject is missing before this one. A repeat is no gap.
    package func isNext(_ event: PublishedEvent) -> Bool {
        guard let known = last[event.subject] else { return true }
        return event.sequence <= known + 1
    }

    package mutating func note(_ event: PublishedEvent) {
        if last.count >= subjectsMax { last.removeAll(keepingCapacity: true) }
        last[event.subject] = max(event.sequence, last[event.subject] ?? 0)
    }

    package mutating func forget() { last.removeAll() }
}

/// What may be handled of a piece of a stream.
package struct StreamPiece: Sendable {
    /// The entries without a gap before them.
    package private(set) var entries: [StreamEntry] = []
    /// Something is missing after them: it is in the outbox.
    package private(set) var hasGap = false

    /// Of what the stream had after `position`; `tail` is its end as PostgreSQL knew it before that was read.
    package init(
        _ read: [StreamEntry],
        after position: StreamPosition,
        tail: StreamPosition,
        memory: inout SequenceMemory
    ) {
        var reached = position
        for entry in read {
            guard entry.follows(reached), memory.isNext(entry.event) else {
                hasGap = true
                return
            }
            memory.note(entry.event)
            reached = entry.position
            entries.append(entry)
        }
        if read.isEmpty, tail > position { hasGap = true }
    }
}
