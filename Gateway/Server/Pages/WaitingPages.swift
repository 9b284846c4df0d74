// The waiting page: what a browser sees in place of a protected page, until it may go in. GET shows, POST acts.
package import EdgeHTTP
import Foundation
import NIOCore
import Signing
import UsherAPI

package struct WaitingPages: Sendable {
    private static let assetBytesMax = 256 * 1024
    private static let deviceSeconds = 365 * 24 * 3600
    private static let assetTypes = [
        "waiting.js": "text/javascript; charset=utf-8", "waiting.css": "text/css; charset=utf-8",
    ]
    private static let policy = [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self' data:",
        "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
    ].joined(separator: "; ")

    private let template: PageTemplate
    private let assets: [String: EdgeReply]

    /// Reads the folder once; a missing or malformed file stops the start.
    package init(folder: String) throws {
        let folder = URL(fileURLWithPath: folder, isDirectory: true)
        func file(_ name: String) throws -> Data {
            let content = try Data(contentsOf: folder.appending(component: name))
            guard content.count <= Self.assetBytesMax else {
                throw PageTemplate.Flaw(description: "\(name) is larger than \(Self.assetBytesMax) bytes")
            }
            return content
        }
        template = try PageTemplate(String(decoding: file("waiting.html"), as: UTF8.self))
        var assets: [String: EdgeReply] = [:]
        for (name, type) in Self.assetTypes {
            assets[name] = EdgeReply(
                status: 200,
                headers: [
                    "Content-Type": type, "Cache-Control": "public, max-age=300", "X-Content-Type-Options": "nosniff",
                ],
                body: ByteBuffer(bytes: try file(name))
            )
        }
        self.assets = assets
    }

    package func asset(_ name: String, for head: EdgeRequestHead, requestID: RequestID) -> EdgeReply {
        guard let asset = assets[name] else { return EdgeReply(.notFound, requestID: requestID) }
        guard head.method == .get || head.method == .head else {
            return EdgeReply(.methodNotAllowed, requestID: requestID, headers: ["Allow": "GET, HEAD"])
        }
        return asset
    }

    /// The page for a protected address that was asked for without a good pass.
    package func answer(_ request: EdgeRequest, room: String, rooms: any VisitorRooms) -> RoomAnswer {
        let notice = rooms.notice(of: room)
        let frame = Frame(request: request, room: room, back: request.head.target, notice: notice)
        guard frame.hasPlace else { return .now(page(PageState(notice), frame)) }
        let asked = EdgeRequest(
            head: EdgeRequestHead(
                method: .get,
                target: Path.room(room, "place"),
                host: request.head.host,
                headers: request.head.headers,
                isSecure: request.head.isSecure
            ),
            clientAddress: request.clientAddress,
            id: request.id
        )
        return rooms.answer(asked).map { reply in
            guard reply.status == 200,
                let place = try? JSONDecoder().decode(PlaceReply.self, from: Data(reply.body.readableBytesView))
            else {
                // A place of another time or room: as if there were none.
                return page(PageState(notice), frame)
            }
            var shown = page(PageState(place, notice: notice), frame)
            for cookie in reply.headers.all("set-cookie") { shown.headers.add("Set-Cookie", cookie) }
            return shown
        }
    }

    /// `POST /usher/rooms/{room}/join` or `/claim` with the path to go back to: the same act as the API's, answered
    /// with a redirection or a page.
    package func answerForm(
        _ request: EdgeRequest,
        room: String,
        action: String,
        rooms: any VisitorRooms
    ) -> RoomAnswer {
        guard action == "join" || action == "claim" else { return .now(EdgeReply(.notFound, requestID: request.id)) }
        guard request.method == .post else {
            return .now(EdgeReply(.methodNotAllowed, requestID: request.id, headers: ["Allow": "POST"]))
        }
        guard isOwnPage(request.head) else { return .now(EdgeReply(.forbidden, requestID: request.id)) }
        guard let back = ReturnPath.checked(request.formValue("return")) else {
            return .now(EdgeReply(.badRequest, detail: "return is not a path of this site", requestID: request.id))
        }
        let frame = Frame(request: request, room: room, back: back, notice: rooms.notice(of: room))
        var head = EdgeRequestHead(
            method: .post,
            target: Path.room(room, action),
            host: request.head.host,
            headers: request.head.headers,
            isSecure: request.head.isSecure
        )
        head.headers.remove("content-type")
        let asked = EdgeRequest(head: head, clientAddress: request.clientAddress, id: request.id)
        return rooms.answer(asked).map { reply in
            guard (200..<300).contains(reply.status) else { return failed(reply, frame) }
            var redirection = EdgeReply(status: 303, headers: ["Location": back, "Cache-Control": "no-store"])
            for cookie in reply.headers.all("set-cookie") { redirection.headers.add("Set-Cookie", cookie) }
            return redirection
        }
    }

    private func failed(_ reply: EdgeReply, _ frame: Frame) -> EdgeReply {
        let problem = try? JSONDecoder().decode(Problem.self, from: Data(reply.body.readableBytesView))
        var shown = page(PageState(problem?.code ?? .internalError), frame)
        shown.status = reply.status
        if let retry = reply.headers.first("retry-after") { shown.headers.add("Retry-After", retry) }
        return shown
    }

    /// Browsers say where a form came from; one of another site must not take or use a place.
    private func isOwnPage(_ head: EdgeRequestHead) -> Bool {
        if let site = head.first("sec-fetch-site"), site != "same-origin", site != "none" { return false }
        guard let origin = head.first("origin") else { return true }
        return origin == "https://\(head.host)" || (!head.isSecure && origin == "http://\(head.host)")
    }

    private struct Frame {
        var request: EdgeRequest
        var room: String
        var back: String
        var notice: RoomNotice

        var hasPlace: Bool {
            request.cookie(CookieName.place(room: room, isSecure: request.head.isSecure)) != nil
                || request.first(HeaderName.place) != nil
        }
    }

    private func page(_ state: PageState, _ frame: Frame) -> EdgeReply {
        var values = [
            "room": frame.room, "return": frame.back, "state": state.name, "heading": state.heading,
            "text": state.text, "title": state.heading,
        ]
        values["message"] = frame.notice.message
        switch state {
        // Who came too late, or whose pass has ended, may line up again.
        case .mayJoin, .forfeited: values["join"] = ""
        case .called(let number, _):
            values["claim"] = ""
            values["number"] = String(number)
        case .waiting(let number, let ahead, let minutes, let pollAfter, _):
            values["number"] = String(number)
            values["ahead"] = String(ahead)
            values["minutes"] = minutes.map(String.init)
            values["poll"] = String(pollAfter)
        default: break
        }
        var headers: EdgeHeaders = [
            "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store", "Vary": "Accept, Cookie",
            "Content-Security-Policy": Self.policy, "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
        ]
        if let seconds = state.refreshSeconds { headers.add("Refresh", "\(seconds);url=\(frame.back)") }
        if frame.request.cookie(CookieName.device) == nil {
            let device = Base64URL.encode(SecureRandom.bytes(16))
            let attributes =
                "Path=/; Max-Age=\(Self.deviceSeconds); HttpOnly; SameSite=Lax"
                + (frame.request.head.isSecure ? "; Secure" : "")
            headers.add("Set-Cookie", "\(CookieName.device)=\(device); \(attributes)")
        }
        return EdgeReply(status: 200, headers: headers, body: ByteBuffer(string: template.filled(with: values)))
    }
}

extension RoomAnswer {
    func map(_ change: @escaping (EdgeReply) -> EdgeReply) -> RoomAnswer {
        switch self {
        case .now(let reply): .now(change(reply))
        case .later(let future): .later(future.assumeIsolated().map(change).nonisolated())
        }
    }
}
