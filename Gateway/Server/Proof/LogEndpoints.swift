// GET /v1/rooms/{room}/log/…: the newest checkpoint, and proofs that a place is in it and that one grew out of another.
import EdgeHTTP
import Fairness
import Foundation
import NIOCore
import NIOPosix
import QueueTokens
import Queueing
import Signing
import UsherAPI

extension LoopRooms {
    /// The signed note, cacheable for a second.
    func checkpoint(_ request: EdgeRequest, room name: Substring) -> RoomAnswer {
        answerOfLog(request, room: name, allowed: []) { log, _ in
            guard let checkpoint = log.checkpoint else {
                return .now(Self.notSignedYet(request))
            }
            let tag = "\"\(checkpoint.checkpoint.size)-\(checkpoint.checkpoint.milliseconds)\""
            var headers: EdgeHeaders = [
                "Content-Type": "text/plain; charset=utf-8", "Cache-Control": ProofReply.soon, "ETag": tag,
            ]
            if request.first("If-None-Match") == tag { return .now(EdgeReply(status: 304, headers: headers)) }
            headers.add("X-Content-Type-Options", "nosniff")
            return .now(EdgeReply(status: 200, headers: headers, body: ByteBuffer(string: checkpoint.note)))
        }
    }

    /// That number `number` is in the first `size` entries; without a size, in the newest checkpoint.
    func inclusion(_ request: EdgeRequest, room name: Substring) -> RoomAnswer {
        answerOfLog(request, room: name, allowed: ["number", "size"]) { log, query in
            guard let number = query["number"], number > 0 else {
                return self.refuse(.validationFailed, request, detail: "say which: ?number=")
            }
            guard let signed = log.checkpoint else { return .now(Self.notSignedYet(request)) }
            let newest = signed.checkpoint.size
            let size = query["size"] ?? newest
            guard (1...newest).contains(size) else {
                return self.refuse(.validationFailed, request, detail: "size is from 1 to \(newest)")
            }
            guard number <= size else {
                guard number <= log.count, query["size"] == nil else { return self.refuse(.notFound, request) }
                return .now(Self.notSignedYet(request))
            }
            let isAsked = query["size"] != nil
            return self.prove(request, cache: isAsked ? ProofReply.long : ProofReply.soon) {
                let index = number - 1
                let path = try log.inclusionPath(of: index, at: size) ?? []
                return try ProofReply.body(
                    InclusionReply(
                        index: index,
                        size: size,
                        entry: Data(try log.entries(index..<(index + 1))).base64EncodedString(),
                        path: path.map(\.hex),
                        checkpoint: isAsked ? nil : signed.note
                    )
                )
            }
        }
    }

    /// That the first `to` entries begin with the first `from`; without `to`, those of the newest checkpoint.
    func consistency(_ request: EdgeRequest, room name: Substring) -> RoomAnswer {
        answerOfLog(request, room: name, allowed: ["from", "to"]) { log, query in
            guard let newest = log.checkpoint?.checkpoint.size else { return .now(Self.notSignedYet(request)) }
            let to = query["to"] ?? newest
            guard let from = query["from"], from > 0, from <= to, to <= newest else {
                return self.refuse(.validationFailed, request, detail: "0 < from ≤ to ≤ \(newest)")
            }
            return self.prove(request, cache: query["to"] == nil ? ProofReply.soon : ProofReply.long) {
                let path = try log.consistencyPath(from: from, to: to) ?? []
                return try ProofReply.body(ConsistencyReply(from: from, to: to, path: path.map(\.hex)))
            }
        }
    }

    /// What the holder of a place was promised at the join, as it stands in the log.
    func receipt(_ request: EdgeRequest, room name: Substring) -> RoomAnswer {
        guard let room = room(name) else { return refuse(.notFound, request) }
        switch place(in: request.head, of: room) {
        case .refused(let code): return refuse(code, request)
        case .good(let place, let number):
            return answerOfLog(request, room: name, allowed: []) { log, _ in
                guard number <= UInt64(log.count) else { return .now(Self.notSignedYet(request)) }
                let index = Int(number) - 1
                return self.prove(request, cache: "no-store") {
                    let bytes = try log.entries(index..<(index + 1))
                    guard let entry = ArrivalEntry(bytes: bytes), Base64URL.encode(entry.dedupeTag) == place.subject
                    else { throw ReceiptMissing() }
                    return try ProofReply.body(
                        Receipt(
                            index: index,
                            arrivedAtMS: entry.milliseconds,
                            entry: Data(bytes).base64EncodedString()
                        )
                    )
                }
            }
        }
    }

    /// Another arrival, or none, stands under the number: the store was lost and the log was not.
    private struct ReceiptMissing: Error {}

    // MARK: What they share

    private func answerOfLog(
        _ request: EdgeRequest,
        room name: Substring,
        allowed: Set<String>,
        _ answer: (RoomLog, QueryNumbers) -> RoomAnswer
    ) -> RoomAnswer {
        guard let room = room(name) else { return refuse(.notFound, request) }
        do throws(QueryNumbers.Flaw) {
            let query = try QueryNumbers(request.query, allowed: allowed)
            guard let log = supplies.logs.log(of: room.snapshot) else { return .now(storeAway(request)) }
            return answer(log, query)
        } catch {
            return refuse(.validationFailed, request, detail: error.description)
        }
    }

    /// Reads tiles of the log from the file, away from the event loop.
    private func prove(
        _ request: EdgeRequest,
        cache: String,
        _ make: @escaping @Sendable () throws -> ByteBuffer
    ) -> RoomAnswer {
        guard supplies.readings.begin() else { return .now(storeAway(request, .overloaded)) }
        let readings = supplies.readings
        let id = request.id
        let reply = NIOThreadPool.singleton.runIfActive(eventLoop: loop) { () -> EdgeReply in
            let headers: EdgeHeaders = ["Content-Type": RoomReply.json, "Cache-Control": cache]
            return EdgeReply(status: 200, headers: headers, body: try make())
        }
        .flatMapErrorThrowing { error in
            EdgeReply(error is ReceiptMissing ? .notFound : .internalError, requestID: id)
        }
        reply.whenComplete { _ in readings.end() }
        return .later(reply)
    }

    /// A checkpoint comes within a second or two of a join.
    private static func notSignedYet(_ request: EdgeRequest) -> EdgeReply {
        EdgeReply(
            .notFound,
            detail: "no checkpoint covers it yet",
            requestID: request.id,
            headers: ["Retry-After": "1"]
        )
    }
}

/// What all answers of proofs have in common.
enum ProofReply {
    static let soon = "public, max-age=1"
    /// Of what cannot change any more.
    static let long = "public, max-age=3600"

    static func body(_ message: some Encodable) throws -> ByteBuffer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return ByteBuffer(bytes: try encoder.encode(message))
    }
}
