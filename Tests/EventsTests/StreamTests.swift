import Events
import Testing

@Suite struct StreamTests {
    private static func entry(
        _ batch: Int,
        _ index: Int,
        after previous: Int,
        _ sequence: Int = 1,
        _ subject: String = ""
    )
        -> StreamEntry
    {
        StreamEntry(
            position: StreamPosition(batch: batch, index: index),
            previousBatch: previous,
            cut: OutboxPlace(transaction: batch, number: 0),
            event: PublishedEvent(
                id: "evt-\(batch)-\(index)",
                subject: subject.isEmpty ? "ord_\(batch)_\(index)" : subject,
                sequence: sequence,
                type: "dev.usher.order.paid.v1",
                body: "{}"
            )
        )
    }

    private static func piece(
        _ read: [StreamEntry],
        after position: (Int, Int),
        tail: (Int, Int) = (0, 0)
    ) -> (count: Int, hasGap: Bool) {
        var memory = SequenceMemory()
        let piece = StreamPiece(
            read,
            after: StreamPosition(batch: position.0, index: position.1),
            tail: StreamPosition(batch: tail.0, index: tail.1),
            memory: &memory
        )
        return (piece.entries.count, piece.hasGap)
    }

    @Test func `a piece without a gap is taken whole`() {
        let read = [
            Self.entry(4, 2, after: 3), Self.entry(4, 3, after: 3), Self.entry(7, 0, after: 4),
            Self.entry(7, 1, after: 4),
        ]
        #expect(Self.piece(read, after: (4, 1)) == (4, false))
    }

    @Test func `T16: a hole in a batch, a missing batch and a missing end are gaps`() {
        #expect(Self.piece([Self.entry(4, 3, after: 3)], after: (4, 1)) == (0, true))
        #expect(Self.piece([Self.entry(5, 0, after: 4), Self.entry(9, 0, after: 8)], after: (4, 1)) == (1, true))
        #expect(Self.piece([Self.entry(9, 2, after: 4)], after: (4, 1)) == (0, true))
        #expect(Self.piece([], after: (4, 1), tail: (4, 2)) == (0, true))
        #expect(Self.piece([], after: (4, 2), tail: (4, 2)) == (0, false))
    }

    @Test func `a batch that was published again under a new number is no gap`() {
        #expect(Self.piece([Self.entry(5, 0, after: 4), Self.entry(6, 0, after: 4)], after: (4, 0)) == (2, false))
    }

    @Test func `T16: a number left out within a subject is a gap and a repeat is none`() {
        let skipping = [Self.entry(5, 0, after: 4, 1, "ord_a"), Self.entry(5, 1, after: 4, 3, "ord_a")]
        #expect(Self.piece(skipping, after: (4, 0)) == (1, true))
        let repeating = [
            Self.entry(5, 0, after: 4, 2, "ord_a"), Self.entry(5, 1, after: 4, 3, "ord_a"),
            Self.entry(5, 2, after: 4, 2, "ord_a"), Self.entry(5, 3, after: 4, 4, "ord_a"),
        ]
        #expect(Self.piece(repeating, after: (4, 0)) == (4, false))
    }

    @Test func `the memory of numbers stays within its bound`() {
        var memory = SequenceMemory(subjectsMax: 2)
        for subject in ["a", "b", "c"] { memory.note(Self.entry(1, 0, after: 0, 1, subject).event) }
        #expect(memory.isNext(Self.entry(1, 0, after: 0, 5, "a").event))
        #expect(!memory.isNext(Self.entry(1, 0, after: 0, 5, "c").event))
    }

    @Test(arguments: ["0-0", "7-65535", "140000000000-12"])
    func `a position survives its text and its number`(text: String) throws {
        let position = try #require(StreamPosition(text))
        #expect("\(position)" == text)
        #expect(StreamPosition(encoded: position.encoded) == position)
    }

    @Test(arguments: ["", "7", "7-", "a-1", "7-65536", "7-1-2"])
    func `what is no position is refused`(text: String) {
        #expect(StreamPosition(text) == nil)
    }
}
