// The deny list in the admin API. A change acts on every gateway with its next pull.
import EdgeHTTP
import Foundation
import Logging
import NIOCore
import Queueing
import RateLimiting
import UsherAPI

extension AdminAPI {
    private struct DenyBody: Decodable {
        var entry: String
        var reason: String
        var expiresAt: String?

        private enum CodingKeys: String, CodingKey {
            case entry, reason
            case expiresAt = "expires_at"
        }
    }

    func listDenied() async throws -> EdgeReply {
        let entries = try await store.denied().map { String(decoding: $0, as: UTF8.self) }.sorted()
        return json(200, #"{"data":[\#(entries.joined(separator: ","))],"next_cursor":null}"#)
    }

    func deny(_ request: EdgeRequest) async throws -> EdgeReply {
        let body = try decode(DenyBody.self, request)
        guard DenyList.Target(body.entry) != nil else {
            throw AdminRefusal(.validationFailed, "entry is an address, a CIDR block or account:<id>")
        }
        guard (1...DenyEntry.reasonBytesMax).contains(body.reason.utf8.count) else {
            throw AdminRefusal(.validationFailed, "reason has 1 to \(DenyEntry.reasonBytesMax) bytes")
        }
        guard body.expiresAt == nil || body.expiresAt.flatMap({ Moment(rfc3339: $0) }) != nil else {
            throw AdminRefusal(.validationFailed, "expires_at is an RFC 3339 time in UTC")
        }
        let entry = DenyEntry(
            entry: body.entry,
            reason: body.reason,
            expiresAt: body.expiresAt,
            addedAt: WallClock.now().rfc3339
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let bytes = Array(try encoder.encode(entry))
        guard try await store.deny(body.entry, bytes) == .done else {
            throw AdminRefusal(.validationFailed, "the list has \(DenyList.entriesMax) entries, its most")
        }
        logger.notice("denied", metadata: ["entry": "\(body.entry)", "reason": "\(body.reason)"])
        return json(200, String(decoding: bytes, as: UTF8.self))
    }

    func undeny(_ request: EdgeRequest) async throws -> EdgeReply {
        guard let entry = request.queryValue("entry"), DenyList.Target(entry) != nil else {
            throw AdminRefusal(.validationFailed, "say which: ?entry=<address, CIDR block or account:id>")
        }
        guard try await store.deny(entry, nil) == .done else { throw AdminRefusal(.notFound) }
        logger.notice("no longer denied", metadata: ["entry": "\(entry)"])
        return EdgeReply(status: 204, headers: ["Cache-Control": "no-store"])
    }
}
