// GET /admin/v1/rooms/{room}/sharing: passes that two networks used at once, and what was done about them.
import EdgeHTTP
import Queueing
import UsherAPI

extension AdminAPI {
    func listSharings(_ name: RoomName) async throws -> EdgeReply {
        let events = try await store.sharings(name).map { event in
            #"{"at":"\#(event.at.rfc3339)","pass":\#(String(decoding: JSONText.quoted(event.passID), as: UTF8.self))"#
                + #","place":\#(event.place),"network":"\#(event.network)""#
                + #","action":\#(String(decoding: JSONText.quoted(event.action), as: UTF8.self))}"#
        }
        return json(200, #"{"data":[\#(events.joined(separator: ","))],"next_cursor":null}"#)
    }
}
