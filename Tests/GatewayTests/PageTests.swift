import EdgeHTTP
import GatewayServer
import NIOCore
import Synchronization
import TestSupport
import Testing
import UsherAPI

struct PageTests {
    private static let browser = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    private static let place = "Cookie: usher-device=d; usher-place-summer=token"

    private static func placeBody(_ state: String, ahead: Int = 41, eta: String = "125", outlook: String = "open")
        -> EdgeReply
    {
        let text = """
            {"room":"summer","phase":"active","policy":{"method":"first_come","version":1,"hash":"h"},\
            "place":{"number":42,"rank":42,"state":"\(state)","ahead":\(ahead)},\
            "eta":{"p50_s":\(eta),"p90_s":null,"reason":null},"serving":{"cursor":1,"per_minute":600},\
            "claim":{"deadline":null},"outlook":"\(outlook)","poll":{"after_s":6.5},"message":null,\
            "as_of":"2026-01-01T00:00:00.000Z"}
            """
        return EdgeReply(status: 200, contentType: "application/json", text: text)
    }

    @Test(
        arguments: [
            (nil, false), ("*/*", false), ("application/json", false), ("text/html", true), ("TEXT/HTML;q=0.5", true),
            ("text/html;q=0", false), ("application/json, text/html;q=0.9", false), ("text/html;q=0.9, */*", true),
            ("text/*", true), ("text/plain", false), ("application/json;q=0.4, text/html;q=0.4", true), ("", false),
            ("application/xhtml+xml", false), ("text/html;q=abc", false),
            ("\u{600}, text/html", true), ("text/html;q=0;\u{309}", false),
        ] as [(String?, Bool)]
    )
    func `a page is for whom prefers one`(_ accept: String?, _ isPage: Bool) {
        #expect(AcceptHeader.prefersHTML(accept) == isPage)
    }

    @Test(
        arguments: [
            ("/sessions/ses_a", true), ("/a?b=c&d=/e", true), ("/", true), (nil, false), ("", false), ("a", false),
            ("//evil.example", false), ("/\\evil.example", false), ("https://evil.example", false),
            ("/a\r\nX: y", false),
            ("/a b", false), ("/ä", false), ("/usher/rooms/summer/join", false), ("/a\\b", false),
            ("/" + String(repeating: "a", count: 1024), false),
        ] as [(String?, Bool)]
    )
    func `only a plain path of this host is gone back to`(_ path: String?, _ isGood: Bool) {
        #expect(ReturnPath.checked(path) == (isGood ? path : nil))
    }

    @Test(arguments: [
        ("GET", "", 403, "pass_required"), ("GET", "late", 403, "pass_expired"), ("GET", "junk", 401, "token_invalid"),
        ("POST", "", 403, "pass_required"),
    ])
    func `a tool without a good pass gets a problem and the way to the line`(
        _ method: String,
        _ pass: String,
        _ status: Int,
        _ code: String
    ) async throws {
        try await EdgeBench.with { edge in
            let headers = pass.isEmpty ? [] : ["Usher-Pass: \(pass)"]
            for target in ["/sessions/ses_a", "/sessions/ses_a/", "/sessions/ses_a?x=y", "/v1/sessions/ses_a/holds"] {
                let reply = try await edge.ask(method, target, headers + ["Accept: application/json"])
                #expect(reply.status == status)
                #expect(reply.first("content-type") == "application/problem+json")
                #expect(reply.body.contains("\"code\":\"\(code)\""))
                #expect(reply.first("link") == "</v1/rooms/summer/join>; rel=\"waiting-room\"")
            }
            // A form is no page either: a browser that posts gets the problem.
            #expect(try await edge.ask("POST", "/sessions/ses_a", headers + [Self.browser]).status == status)
            #expect(edge.origin.requests == 0)
            #expect(edge.rooms.state.withLock { $0.asked } == [])
        }
    }

    @Test func `a browser's first look gets a page with a form, a device, and no place`() async throws {
        try await EdgeBench.with { edge in
            edge.rooms.state.withLock { $0.notice = RoomNotice(.open, message: "<b>Doors & \"more\"</b>") }
            let reply = try await edge.ask("GET", "/sessions/ses_a?x=%22%3E", [Self.browser])
            #expect(reply.status == 200)
            #expect(reply.first("content-type") == "text/html; charset=utf-8")
            #expect(reply.first("cache-control") == "no-store")
            #expect(reply.first("vary") == "Accept, Cookie")
            let policy = try reply.first("content-security-policy").orThrow()
            #expect(policy.hasPrefix("default-src 'none'"))
            #expect(!policy.contains("unsafe"))
            let device = try reply.first("set-cookie").orThrow()
            #expect(device.firstMatch(of: /^usher-device=[A-Za-z0-9_-]{22}; .*HttpOnly; SameSite=Lax/) != nil)
            #expect(reply.body.contains("action=\"/usher/rooms/summer/join\""))
            #expect(reply.body.contains("value=\"/sessions/ses_a?x=%22%3E\""))
            #expect(reply.body.contains("&lt;b&gt;Doors &amp; &quot;more&quot;&lt;/b&gt;"))
            #expect(reply.body.contains("aria-live=\"polite\""))
            #expect(!reply.body.contains("{{"))
            #expect(!reply.body.contains("action=\"/usher/rooms/summer/claim\""))
            #expect(edge.rooms.state.withLock { $0.asked } == [])
            let again = try await edge.ask("GET", "/sessions/ses_a", [Self.browser, "Cookie: usher-device=d"])
            #expect(again.first("set-cookie") == nil)
            let head = try await edge.ask("HEAD", "/sessions/ses_a", [Self.browser])
            #expect(head.status == 200)
        }
    }

    @Test func `a browser with a place sees where it stands and comes back by itself`() async throws {
        try await EdgeBench.with { edge in
            edge.rooms.state.withLock { $0.replies["place"] = Self.placeBody("waiting") }
            let reply = try await edge.ask("GET", "/sessions/ses_a", [Self.browser, Self.place])
            #expect(reply.body.contains("<strong id=\"ahead\">41</strong>"))
            #expect(reply.body.contains("<span id=\"minutes\">3</span>"))
            #expect(reply.body.contains("<span id=\"number\">42</span>"))
            #expect(reply.first("refresh") == "7;url=/sessions/ses_a")
            #expect(!reply.body.contains("<form"))
            #expect(edge.rooms.state.withLock { $0.asked } == ["GET /v1/rooms/summer/place "])
            edge.rooms.state.withLock { $0.replies["place"] = Self.placeBody("waiting", eta: "null") }
            let unknown = try await edge.ask("GET", "/sessions/ses_a", [Self.browser, Self.place])
            #expect(!unknown.body.contains("id=\"minutes\""))
        }
    }

    @Test(arguments: [
        ("called", RoomNotice.Condition.open, "It is your turn", true), ("parked", .open, "It is your turn", true),
        ("admitted", .open, "It is your turn", true), ("forfeited", .open, "Your turn has passed", false),
        ("waiting", .soldOut, "Sold out", false), ("waiting", .paused, "The line is paused", false),
        ("waiting", .closed, "The sale is over", false), ("called", .soldOut, "Sold out", false),
        ("admitted", .soldOut, "It is your turn", true), ("called", .paused, "It is your turn", true),
    ])
    func `each state of a place has its words, and a form only where it can act`(
        _ state: String,
        _ condition: RoomNotice.Condition,
        _ heading: String,
        _ hasForm: Bool
    ) async throws {
        try await EdgeBench.with { edge in
            edge.rooms.state.withLock {
                $0.notice = RoomNotice(condition)
                $0.replies["place"] = Self.placeBody(state)
            }
            let reply = try await edge.ask("GET", "/sessions/ses_a", [Self.browser, Self.place])
            #expect(reply.status == 200)
            #expect(reply.body.contains("<h1 id=\"heading\">\(heading)</h1>"))
            #expect(reply.body.contains("action=\"/usher/rooms/summer/claim\"") == hasForm)
        }
    }

    @Test(arguments: [
        (RoomNotice.Condition.notYetOpen, "The sale has not opened yet"), (.paused, "The line is paused"),
        (.soldOut, "Sold out"), (.closed, "The sale is over"),
    ])
    func `a room that takes nobody says why and shows no form`(
        _ condition: RoomNotice.Condition,
        _ heading: String
    ) async throws {
        try await EdgeBench.with { edge in
            edge.rooms.state.withLock { $0.notice = RoomNotice(condition) }
            // A place of another time is as good as none.
            for headers in [[Self.browser], [Self.browser, Self.place]] {
                let reply = try await edge.ask("GET", "/sessions/ses_a", headers)
                #expect(reply.body.contains(heading))
                #expect(!reply.body.contains("<form"))
            }
        }
    }

    @Test(arguments: ["join", "claim"])
    func `a form acts as the API does and leads back to the page first asked for`(_ action: String) async throws {
        try await EdgeBench.with { edge in
            let cookie = "usher-x-summer=t; Path=/; HttpOnly"
            edge.rooms.state.withLock {
                $0.replies[action] = EdgeReply(status: 201, headers: ["Set-Cookie": cookie, "X-Other": "y"])
            }
            let reply = try await edge.ask(
                "POST",
                "/usher/rooms/summer/\(action)",
                [
                    "Content-Type: application/x-www-form-urlencoded", "Origin: http://shop.example",
                    "Sec-Fetch-Site: same-origin",
                ],
                body: "return=%2Fsessions%2Fses_a%3Fx%3Dy"
            )
            #expect(reply.status == 303)
            #expect(reply.first("location") == "/sessions/ses_a?x=y")
            #expect(reply.all("set-cookie") == [cookie])
            #expect(reply.first("x-other") == nil)
            #expect(edge.rooms.state.withLock { $0.asked } == ["POST /v1/rooms/summer/\(action) "])
        }
    }

    @Test(
        arguments: [
            ("POST", "join", ["Origin: http://evil.example"], "return=/a", 403),
            ("POST", "join", ["Sec-Fetch-Site: cross-site"], "return=/a", 403),
            ("POST", "join", [], "return=//evil.example", 400), ("POST", "join", [], "", 400),
            ("GET", "join", [], nil, 405), ("POST", "leave", [], "return=/a", 404),
            ("POST", "join/x", [], "return=/a", 404),
        ] as [(String, String, [String], String?, Int)]
    )
    func `a form from elsewhere, or that leads elsewhere, does nothing`(
        _ method: String,
        _ action: String,
        _ headers: [String],
        _ body: String?,
        _ status: Int
    ) async throws {
        try await EdgeBench.with { edge in
            edge.rooms.state.withLock { $0.replies["join"] = EdgeReply(status: 201) }
            let reply = try await edge.ask(method, "/usher/rooms/summer/\(action)", headers, body: body)
            #expect(reply.status == status)
            #expect(edge.rooms.state.withLock { $0.asked } == [])
        }
    }

    @Test(arguments: [
        (ProblemCode.soldOut, "Sold out"), (.placeForfeited, "Your turn has passed"),
        (.roomNotOpen, "The sale has not opened yet"), (.storeUnavailable, "One moment, please"),
        (.deviceRequired, "This did not work"),
    ])
    func `a form that is refused shows why, with the status of the refusal`(_ code: ProblemCode, _ heading: String)
        async throws
    {
        try await EdgeBench.with { edge in
            edge.rooms.state.withLock {
                $0.replies["claim"] = EdgeReply(code, requestID: RequestID.none, headers: ["Retry-After": "7"])
            }
            let reply = try await edge.ask("POST", "/usher/rooms/summer/claim", body: "return=/a")
            #expect(reply.status == code.status)
            #expect(reply.first("content-type") == "text/html; charset=utf-8")
            #expect(reply.first("retry-after") == "7")
            #expect(reply.body.contains(heading))
        }
    }

    @Test func `a page of a room that asks for work has the way without it in its form`() async throws {
        try await EdgeBench.with { edge in
            let wait = #"{"seconds":30,"token":"ticket","opens_at":"","expires_at":""}"#
            edge.rooms.state.withLock {
                $0.notice = RoomNotice(.open, challenge: .pow)
                $0.replies["challenge"] = EdgeReply(
                    status: 200,
                    contentType: "application/json",
                    text: #"{"room":"summer","kind":"pow","wait":\#(wait)}"#
                )
                $0.replies["join"] = EdgeReply(
                    .challengeEarly,
                    requestID: RequestID.none,
                    headers: ["Retry-After": "7"]
                )
            }
            let page = try await edge.ask("GET", "/sessions/ses_a", [Self.browser])
            #expect(page.body.contains("data-challenge=\"pow\""))
            #expect(page.body.contains("<input type=\"hidden\" name=\"challenge\" value=\"ticket\">"))
            #expect(page.body.contains("Without JavaScript, wait 30 seconds"))
            #expect(page.first("content-security-policy")?.contains("worker-src 'self'") == true)
            let early = try await edge.ask(
                "POST",
                "/usher/rooms/summer/join",
                body: "return=%2Fsessions%2Fses_a&challenge=ticket-1"
            )
            #expect(early.status == 425)
            #expect(early.first("retry-after") == "7")
            #expect(early.body.contains("Wait 7 more seconds"))
            #expect(early.body.contains("name=\"challenge\" value=\"ticket-1\""))
            edge.rooms.state.withLock { $0.replies["join"] = EdgeReply(.challengeSpent, requestID: RequestID.none) }
            let spent = try await edge.ask(
                "POST",
                "/usher/rooms/summer/join",
                body: "return=%2Fsessions%2Fses_a&challenge=ticket-1"
            )
            #expect(spent.status == 403)
            #expect(spent.body.contains("Once more, please"))
            #expect(spent.body.contains("name=\"challenge\" value=\"ticket\""))
            #expect(try await edge.ask("GET", "/usher/solver.js").status == 200)
        }
    }

    @Test func `a page of a room of entry tickets has a field for one, and a captcha only where there is one`()
        async throws
    {
        try await EdgeBench.with { edge in
            edge.rooms.state.withLock { $0.notice = RoomNotice(.open, challenge: .attestation) }
            let entry = try await edge.ask("GET", "/sessions/ses_a", [Self.browser])
            #expect(entry.body.contains("<input id=\"entry\" name=\"challenge\""))
            edge.rooms.state.withLock { $0.notice = RoomNotice(.open, challenge: .captcha) }
            let none = try await edge.ask("GET", "/sessions/ses_a", [Self.browser])
            #expect(!none.body.contains("data-sitekey"))
            #expect(none.first("content-security-policy")?.contains("https:") == false)
        }
        let site = CaptchaSite(
            key: "key\"1",
            widget: .turnstile,
            script: "https://captcha.example/api.js",
            origins: ["https://captcha.example"]
        )
        try await EdgeBench.with(EdgeBench.Setup(captcha: site)) { edge in
            edge.rooms.state.withLock { $0.notice = RoomNotice(.open, challenge: .captcha) }
            let page = try await edge.ask("GET", "/sessions/ses_a", [Self.browser])
            #expect(page.body.contains("<div class=\"cf-turnstile\" data-sitekey=\"key&quot;1\"></div>"))
            #expect(page.body.contains("<script src=\"https://captcha.example/api.js\" async defer></script>"))
            let policy = try page.first("content-security-policy").orThrow()
            #expect(policy.contains("script-src 'self' https://captcha.example;"))
            #expect(policy.contains("frame-src https://captcha.example"))
            edge.rooms.state.withLock { $0.notice = RoomNotice(.open) }
            let plain = try await edge.ask("GET", "/sessions/ses_a", [Self.browser])
            #expect(plain.first("content-security-policy")?.contains("captcha.example") == false)
        }
    }

    @Test func `the page's files are served, and nothing else from their folder`() async throws {
        try await EdgeBench.with { edge in
            let script = try await edge.ask("GET", "/usher/waiting.js")
            #expect(script.status == 200)
            #expect(script.first("content-type") == "text/javascript; charset=utf-8")
            #expect(try await edge.ask("GET", "/usher/waiting.css").status == 200)
            #expect(try await edge.ask("POST", "/usher/waiting.css").status == 405)
            #expect(try await edge.ask("GET", "/usher/waiting.html").status == 404)
        }
    }

    @Test(arguments: ["{{", "{{#a}}", "{{/a}}", "{{#a}}{{/b}}"])
    func `a broken template stops the start`(_ source: String) {
        #expect(throws: PageTemplate.Flaw.self) { _ = try PageTemplate(source) }
    }

    @Test func `a folder without pages is named, with what to do`() throws {
        let flaw = #expect(throws: PageTemplate.Flaw.self) { _ = try WaitingPages(folder: "/nowhere") }
        #expect(
            flaw?.description == "cannot read waiting.html in /nowhere: start in the project's folder or give --pages"
        )
    }
}
