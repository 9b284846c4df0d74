// GET /v1/rooms/{room}/audit and …/audit/{section}: everything somebody needs to check a room again, without trust.
import EdgeHTTP
import NIOCore
import NIOPosix
import Queueing
import UsherAPI

extension LoopRooms {
    static let sectionBytesMax = 1 << 20

    /// The header of the bundle: what the sections are, how long they are, and what is to be checked against them.
    func audit(_ request: EdgeRequest, room name: Substring) -> RoomAnswer {
        guard let room = room(name) else { return refuse(.notFound, request) }
        guard request.query == nil else { return refuse(.validationFailed, request, detail: "takes no parameters") }
        guard !room.snapshot.isDegraded, let log = supplies.logs.log(of: room.snapshot) else {
            return .now(storeAway(request))
        }
        let (headers, snapshot, away) = (supplies.audits, room.snapshot, storeAway(request))
        return reading(request) {
            guard let body = try await headers.header(of: snapshot, log: log) else { return away }
            let fields: EdgeHeaders = ["Content-Type": RoomReply.json, "Cache-Control": ProofReply.soon]
            return EdgeReply(status: 200, headers: fields, body: ByteBuffer(bytes: body))
        }
    }

    /// At most a megabyte from a byte on; what a section has only grows.
    func auditSection(_ request: EdgeRequest, room name: Substring, section: Substring) -> RoomAnswer {
        guard let room = room(name) else { return refuse(.notFound, request) }
        guard let record = RoomStore.Record(rawValue: String(section)) else { return refuse(.notFound, request) }
        let from: Int
        do throws(QueryNumbers.Flaw) {
            from = try QueryNumbers(request.query, allowed: ["from"])["from"] ?? 0
        } catch {
            return refuse(.validationFailed, request, detail: error.description)
        }
        guard from % record.entryBytes == 0 else {
            return refuse(.validationFailed, request, detail: "from is a multiple of \(record.entryBytes)")
        }
        let most = Self.sectionBytesMax / record.entryBytes * record.entryBytes
        guard let log = supplies.logs.log(of: room.snapshot) else { return .now(storeAway(request)) }
        let (store, roomName) = (RoomStore(redis: supplies.redis), room.name)
        return reading(request) {
            let bytes: [UInt8]
            if record == .log {
                let first = from / record.entryBytes
                bytes = try await NIOThreadPool.singleton.runIfActive {
                    try log.entries(first..<(first + most / record.entryBytes))
                }
            } else {
                bytes = try await store.bytes(of: record, roomName, from: from, count: most)
            }
            // A whole piece has nothing left to grow.
            let fields: EdgeHeaders = [
                "Content-Type": "application/octet-stream",
                "Cache-Control": bytes.count == most ? ProofReply.long : ProofReply.soon,
                "X-Content-Type-Options": "nosniff",
            ]
            return EdgeReply(status: 200, headers: fields, body: ByteBuffer(bytes: bytes))
        }
    }

    private func reading(
        _ request: EdgeRequest,
        _ make: @escaping @Sendable () async throws -> EdgeReply
    ) -> RoomAnswer {
        guard supplies.readings.begin() else { return .now(storeAway(request, .overloaded)) }
        let (readings, away) = (supplies.readings, storeAway(request))
        return .later(
            loop.makeFutureWithTask {
                defer { readings.end() }
                return (try? await make()) ?? away
            }
        )
    }
}
