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
        "waiting.js": "text/javascript; charset=utf-8", "verify.js": "text/javascript; charset=utf-8",
        "solver.js": "text/javascript; charset=utf-8",
        "waiting.css": "text/css; charset=utf-8",
    ]
    private static let policy = policy()

    /// `others` are origins a captcha's widget needs.
    private static func policy(and others: [String] = []) -> String {
        let sources = (["'self'"] + others).joined(separator: " ")
        var rules = [
            "default-src 'none'", "script-src \(sources)", "worker-src 'self'", "style-src \(sources)",
            "connect-src \(sources)", "img-src 'self' data:", "form-action 'self'", "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
        if !others.isEmpty { rules.append("frame-src \(others.joined(separator: " "))") }
        return rules.joined(separator: "; ")
    }

    private let template: PageTemplate
    private let assets: [String: EdgeReply]
    private let captcha: CaptchaSite?

    /// Reads the folder once; a missing or malformed file stops the start.
    package init(folder: String, captcha: CaptchaSite? = nil) throws {
        let folder = URL(fileURLWithPath: folder, isDirectory: true)
        func file(_ name: String) throws -> Data {
            guard let content = try? Data(contentsOf: folder.appending(component: name)) else {
                throw PageTemplate.Flaw(
                    description: "cannot read \(name) in \(folder.path): start in the project's folder or give --pages"
                )
            }
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
        self.captcha = captcha
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
        guard frame.hasPlace else { return .now(page(PageState(notice), frame, rooms)) }
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
                if Self.code(of: reply) == .placeMoved { return page(.moved, frame, rooms) }
                // A place of another time or room: as if there were none.
                return page(PageState(notice), frame, rooms)
            }
            var shown = page(PageState(place, notice: notice), frame, rooms)
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
        guard ["join", "claim", "extend"].contains(action) else {
            return .now(EdgeReply(.notFound, requestID: request.id))
        }
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
        if action == "join", let answer = answer(in: request) { head.headers.set(HeaderName.challenge, answer) }
        let asked = EdgeRequest(head: head, clientAddress: request.clientAddress, id: request.id)
        return rooms.answer(asked).map { reply in
            guard (200..<300).contains(reply.status) else { return failed(reply, frame, rooms) }
            var redirection = EdgeReply(status: 303, headers: ["Location": back, "Cache-Control": "no-store"])
            for cookie in reply.headers.all("set-cookie") { redirection.headers.add("Set-Cookie", cookie) }
            return redirection
        }
    }

    /// What a form shows for the room's challenge, in a field of ours or of the provider's widget.
    private func answer(in request: EdgeRequest) -> String? {
        let text = request.formValue("challenge") ?? captcha.flatMap { request.formValue($0.widget.field) }
        guard let text, !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        return text
    }

    private func failed(_ reply: EdgeReply, _ frame: Frame, _ rooms: any VisitorRooms) -> EdgeReply {
        let code = Self.code(of: reply)
        let retry = reply.headers.first("retry-after")
        var shown: EdgeReply
        if code == .challengeEarly, let seconds = retry.flatMap(Int.init) {
            shown = page(.holdOn(seconds: seconds), frame, rooms)
        } else {
            shown = page(PageState(code ?? .internalError), frame, rooms)
        }
        shown.status = reply.status
        if let retry { shown.headers.add("Retry-After", retry) }
        return shown
    }

    private static func code(of reply: EdgeReply) -> ProblemCode? {
        (try? JSONDecoder().decode(Problem.self, from: Data(reply.body.readableBytesView)))?.code
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
        /// Of the request, or a new one that goes out with the page.
        let device: String
        let isNewDevice: Bool

        init(request: EdgeRequest, room: String, back: String, notice: RoomNotice) {
            self.request = request
            self.room = room
            self.back = back
            self.notice = notice
            let known = request.cookie(CookieName.device).map(String.init)
            device = known ?? Base64URL.encode(SecureRandom.bytes(16))
            isNewDevice = known == nil
        }

        var hasPlace: Bool {
            request.cookie(CookieName.place(room: room, isSecure: request.head.isSecure)) != nil
                || request.first(HeaderName.place) != nil
        }
    }

    private func page(_ state: PageState, _ frame: Frame, _ rooms: any VisitorRooms) -> EdgeReply {
        var values = [
            "room": frame.room, "return": frame.back, "state": state.name, "heading": state.heading,
            "text": state.text, "title": state.heading, "challenge": frame.notice.challenge.rawValue,
        ]
        values["message"] = frame.notice.message
        values["phase"] = frame.notice.phase
        if frame.notice.isForAccounts {
            values["recover"] = "Your place belongs to your account: sign in on another device and it is there, too."
        }
        var policy = Self.policy
        switch state {
        // Who came too late, or whose pass has ended, may line up again.
        case .mayJoin, .mayJoinAgain, .forfeited, .moved, .holdOn:
            values["join"] = ""
            addChallenge(to: &values, &policy, state, frame, rooms)
        default: state.fill(&values)
        }
        var headers: EdgeHeaders = [
            "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store", "Vary": "Accept, Cookie",
            "Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
        ]
        if let seconds = state.refreshSeconds { headers.add("Refresh", "\(seconds);url=\(frame.back)") }
        if frame.isNewDevice {
            let attributes =
                "Path=/; Max-Age=\(Self.deviceSeconds); HttpOnly; SameSite=Lax"
                + (frame.request.head.isSecure ? "; Secure" : "")
            headers.add("Set-Cookie", "\(CookieName.device)=\(frame.device); \(attributes)")
        }
        return EdgeReply(status: 200, headers: headers, body: ByteBuffer(string: template.filled(with: values)))
    }

    /// What the form needs to pass the room's challenge without our script.
    private func addChallenge(
        to values: inout [String: String],
        _ policy: inout String,
        _ state: PageState,
        _ frame: Frame,
        _ rooms: any VisitorRooms
    ) {
        switch frame.notice.challenge {
        case .off: break
        case .attestation: values["entry"] = ""
        case .captcha:
            guard let captcha, let script = captcha.script else { return }
            values["captcha"] = captcha.widget.rawValue
            values["siteKey"] = captcha.key
            values["captchaScript"] = script
            policy = Self.policy(and: captcha.origins)
        case .pow:
            if case .holdOn = state {
                values["wait"] = answer(in: frame.request)
            } else if let wait = waitTicket(frame, rooms) {
                values["wait"] = wait.token
                values["seconds"] = String(wait.seconds)
            }
        }
    }

    private func waitTicket(_ frame: Frame, _ rooms: any VisitorRooms) -> ChallengeReply.Wait? {
        var head = EdgeRequestHead(
            method: .get,
            target: Path.room(frame.room, "challenge"),
            host: frame.request.head.host,
            headers: frame.request.head.headers
        )
        head.headers.set(HeaderName.device, frame.device)
        let asked = EdgeRequest(head: head, clientAddress: frame.request.clientAddress, id: frame.request.id)
        guard case .now(let reply) = rooms.answer(asked), reply.status == 200 else { return nil }
        return try? JSONDecoder().decode(ChallengeReply.self, from: Data(reply.body.readableBytesView)).wait
    }
}

extension RoomAnswer {
    func map(_ change: @escaping (EdgeReply) -> EdgeReply) -> RoomAnswer {
        switch self {
        case .now(let reply): .now(change(reply))
        case .later(let future): .later(future.assumeIsolated().map(change).nonisolated())
        case .soon(let begin): .soon { take in begin { take(change($0)) } }
        }
    }
}
