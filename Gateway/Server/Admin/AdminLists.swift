// The deny and the allow list in the admin API. A change acts on every gateway with its next pull.
import EdgeHTTP
import Foundation
import Logging
import NIOCore
import Queueing
import RateLimiting
import UsherAPI

extension AdminAPI {
    private struct EntryBody: Decodable {
        var entry: String
        var reason: String
        var expiresAt: String?

        private enum CodingKeys: String, CodingKey, CaseIterable {
            case entry, reason
            case expiresAt = "expires_at"
        }

        private struct Member: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }
            init?(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        /// A member nobody knows is refused: `expire_at` must not make an entry that never ends.
        init(from decoder: any Decoder) throws {
            let known = CodingKeys.allCases.map(\.rawValue)
            let members = try decoder.container(keyedBy: Member.self).allKeys.map(\.stringValue)
            if let stranger = members.sorted().first(where: { !known.contains($0) }) {
                throw AdminRefusal(
                    .validationFailed,
                    "\(stranger) is not a member of an entry: \(known.joined(separator: ", "))"
                )
            }
            let container = try decoder.container(keyedBy: CodingKeys.self)
            entry = try container.decode(String.self, forKey: .entry)
            reason = try container.decode(String.self, forKey: .reason)
            expiresAt = try container.decodeIfPresent(String.self, forKey: .expiresAt)
        }
    }

    func answerList(_ list: AccessListName, _ method: EdgeMethod, _ request: EdgeRequest) async throws -> EdgeReply {
        switch method {
        case .get: try await listEntries(of: list)
        case .put, .post: try await putEntry(on: list, request)
        case .delete: try await removeEntry(from: list, request)
        default: throw AdminRefusal(.methodNotAllowed, allowed: "GET, PUT, DELETE")
        }
    }

    private func listEntries(of list: AccessListName) async throws -> EdgeReply {
        let entries = try await access.entries(of: list).map { String(decoding: $0, as: UTF8.self) }.sorted()
        return json(200, #"{"data":[\#(entries.joined(separator: ","))],"next_cursor":null}"#)
    }

    private func putEntry(on list: AccessListName, _ request: EdgeRequest) async throws -> EdgeReply {
        let body = try decode(EntryBody.self, request)
        let target = try Self.target(body.entry)
        guard (1...AccessEntry.reasonBytesMax).contains(body.reason.utf8.count) else {
            throw AdminRefusal(.validationFailed, "reason has 1 to \(AccessEntry.reasonBytesMax) bytes")
        }
        if let text = body.expiresAt {
            guard let expiry = Moment(rfc3339: text) else {
                throw AdminRefusal(
                    .validationFailed,
                    "expires_at is an RFC 3339 time in UTC, as in 2026-11-21T20:00:00Z"
                )
            }
            let now = rooms.view.now()
            guard now < expiry else {
                throw AdminRefusal(.validationFailed, "expires_at is over: here it is \(now.rfc3339)")
            }
        }
        let entry = AccessEntry(
            entry: target.text,
            reason: body.reason,
            expiresAt: body.expiresAt,
            addedAt: WallClock.now().rfc3339
        )
        guard try await access.put(entry, on: list) == .done else {
            throw AdminRefusal(
                .validationFailed,
                "the list has \(AccessList.entriesMax) entries, its most: delete some"
            )
        }
        logger.notice(
            "list changed",
            metadata: ["list": "\(list.rawValue)", "entry": "\(entry.entry)", "reason": "\(entry.reason)"]
        )
        return json(200, String(decoding: entry.json, as: UTF8.self))
    }

    private func removeEntry(from list: AccessListName, _ request: EdgeRequest) async throws -> EdgeReply {
        guard let text = request.queryValue("entry") else {
            throw AdminRefusal(
                .validationFailed,
                "say which: ?entry=<address, CIDR block, account:id or agent:beginning>"
            )
        }
        let target = try Self.target(text)
        guard try await access.remove(target.text, from: list) == .done else {
            throw AdminRefusal(.notFound, "\(target.text) is not on the list")
        }
        logger.notice("list changed", metadata: ["list": "\(list.rawValue)", "removed": "\(target.text)"])
        return EdgeReply(status: 204, headers: ["Cache-Control": "no-store"])
    }

    private static func target(_ text: String) throws(AdminRefusal) -> AccessTarget {
        do {
            return try AccessTarget(text)
        } catch {
            throw AdminRefusal(.validationFailed, error.description)
        }
    }
}
