import Events
import Redis

/// The ten streams `events:0` … `events:9` in Redis, each of a bounded length. They are transport only: what they lose is
/// in the outbox.
struct EventStreams: Sendable {
    enum Failure: Error, CustomStringConvertible {
        case redis(RedisFailure)
        /// A stream holds entries of a later batch than the one that was to be published.
        case outrun
        case unreadable

        var description: String {
            switch self {
            case .redis(let failure): "\(failure)"
            case .outrun: "the streams are ahead of the relay"
            case .unreadable: "unreadable reply of a stream"
            }
        }
    }

    let redis: RedisClient
    /// Entries kept in one stream, about.
    let lengthMax: Int

    private static let deadline = Duration.seconds(5)

    /// Appends entries in order; some may be there already when it fails.
    func publish(_ entries: [(partition: Int, entry: StreamEntry)]) async throws(Failure) {
        let replies = try await replies(
            to: entries.map { partition, entry in
                [
                    "XADD", Self.key(partition), "MAXLEN", "~", .integer(lengthMax), .text("\(entry.position)"),
                    "event", .text(entry.event.body), "id", .text(entry.event.id), "subject",
                    .text(entry.event.subject), "sequence", .integer(entry.event.sequence), "type",
                    .text(entry.event.type), "previous", .integer(entry.previousBatch), "cut",
                    .text("\(entry.cut.transaction)-\(entry.cut.number)"),
                ]
            }
        )
        guard let fault = replies.compactMap(\.asError).first else { return }
        throw fault.contains("equal or smaller") ? .outrun : .redis(.refused(message: fault))
    }

    /// Up to `limit` entries of each stream after the given position.
    func read(_ held: [HeldPartition], limit: Int) async throws(Failure) -> [[StreamEntry]] {
        let replies = try await replies(
            to: held.map { partition in
                [
                    "XRANGE", Self.key(partition.number), .text("(\(partition.position)"), "+", "COUNT",
                    .integer(limit),
                ]
            }
        )
        var read: [[StreamEntry]] = []
        for reply in replies {
            if let fault = reply.asError { throw .redis(.refused(message: fault)) }
            guard let entries = reply.asArray else { throw .unreadable }
            read.append(entries.compactMap { Self.entry($0) })
        }
        return read
    }

    /// The highest batch of which any stream has an entry.
    func lastBatch() async throws(Failure) -> Int {
        let replies = try await replies(
            to: (0..<EventPartition.count).map { ["XREVRANGE", Self.key($0), "+", "-", "COUNT", 1] }
        )
        // An id of somebody else's making still counts by its first number.
        let batches = replies.compactMap { reply in
            (reply.asArray?.first?.asArray?.first?.asText?.split(separator: "-").first).flatMap { Int($0) }
        }
        return batches.max() ?? 0
    }

    private func replies(to commands: [[RedisArgument]]) async throws(Failure) -> [RedisValue] {
        do throws(RedisFailure) {
            return try await redis.pipeline(commands, deadline: Self.deadline)
        } catch {
            throw .redis(error)
        }
    }

    static func key(_ partition: Int) -> RedisArgument { .text("events:\(partition)") }

    private static func entry(_ value: RedisValue) -> StreamEntry? {
        guard let parts = value.asArray, parts.count == 2, let id = parts[0].asText,
            let position = StreamPosition(id), let fields = parts[1].asDictionary,
            let body = fields["event"]?.asText, let event = fields["id"]?.asText,
            let subject = fields["subject"]?.asText, let type = fields["type"]?.asText,
            let sequence = fields["sequence"]?.asInteger, let previous = fields["previous"]?.asInteger,
            let cut = fields["cut"]?.asText?.split(separator: "-"), cut.count == 2,
            let transaction = Int(cut[0]), let number = Int(cut[1])
        else { return nil }
        return StreamEntry(
            position: position,
            previousBatch: previous,
            cut: OutboxPlace(transaction: transaction, number: number),
            event: PublishedEvent(id: event, subject: subject, sequence: sequence, type: type, body: body)
        )
    }
}
