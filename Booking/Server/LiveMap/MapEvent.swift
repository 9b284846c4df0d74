// The bytes of a server-sent event, made once for all who get it.

import NIOCore
import Ordering
import UsherAPI

enum MapEvent {
    static func snapshot(_ map: LiveSeatMap, of session: SessionID, at now: Moment) -> ByteBuffer {
        let reply = CatalogueReply.seatMap(session, map.layout, map.snapshot, at: now)
        return event("snapshot", map.version, reply)
    }

    static func delta(_ delta: LiveSeatMap.Delta) -> ByteBuffer {
        let body = SeatMapDelta(
            changes: delta.runs.map { .init(section: $0.section, row: $0.row, place: $0.at, letters: $0.letters) },
            free: delta.free.sorted { $0.key < $1.key }.map { [$0.key, $0.value] },
            version: "\(delta.version)"
        )
        return event("delta", delta.version, body)
    }

    /// A comment: keeps proxies from taking the silence for an end.
    static let heartbeat = ByteBuffer(string: ":\n\n")

    private static func event(_ name: String, _ version: MapVersion, _ body: some Encodable) -> ByteBuffer {
        var bytes = ByteBuffer(string: "id: \(version)\nevent: \(name)\ndata: ")
        // JSON has no line break of its own.
        bytes.writeBytes(Reply.encode(body))
        bytes.writeString("\n\n")
        return bytes
    }
}
