import EdgeHTTP
import Synchronization
import Testing
import UsherAPI

@testable import GatewayServer

/// What the page says of a draw, of seats that will hardly last, of more time, and of a place that went elsewhere.
struct PageStateTests {
    private static let browser = "Accept: text/html"
    private static let place = "Cookie: usher-device=d; usher-place-summer=token"

    private static func body(
        _ state: String,
        phase: String = "active",
        method: String = "first_come",
        rank: String = "42",
        ahead: String = "41",
        outlook: String = "open",
        claim: String = #"{"deadline":null,"extensions_left":null}"#
    ) -> EdgeReply {
        let text =
            #"{"room":"summer","phase":"\#(phase)","policy":{"method":"\#(method)","version":1,"hash":"h"},"#
            + #""place":{"number":42,"rank":\#(rank),"state":"\#(state)","ahead":\#(ahead)},"#
            + #""eta":{"p50_s":130,"p90_s":200,"reason":null},"serving":{"cursor":0,"per_minute":600},"#
            + #""claim":\#(claim),"outlook":"\#(outlook)","poll":{"after_s":6.5},"message":null,"#
            + #""as_of":"2026-01-01T00:00:00.000Z"}"#
        return EdgeReply(status: 200, contentType: "application/json", text: text)
    }

    private static let waiting = body("waiting")
    private static let ofDraw = body("waiting", method: "lottery", rank: "17", ahead: "16")
    private static let unlikely = body("waiting", outlook: "unlikely")
    private static let called = body(
        "called",
        claim: #"{"deadline":"2026-01-01T00:02:00.000Z","extensions_left":9}"#
    )
    private static let calledForTheLastTime = body(
        "called",
        claim: #"{"deadline":"2026-01-01T00:02:00.000Z","extensions_left":0}"#
    )
    private static func assigning(_ phase: String, _ method: String = "lottery") -> EdgeReply {
        body("assigning", phase: phase, method: method, rank: "null", ahead: "null")
    }

    private static let cases: [(String, EdgeReply, [String], [String])] = [
        ("in line", waiting, ["You are in line", "id=\"ahead\">41<"], ["id=\"rank\"", "id=\"draw\"", "/extend\""]),
        ("drawn", ofDraw, ["id=\"rank\">17<", "id=\"draw\""], []),
        ("unlikely", unlikely, ["Seats will probably be gone"], []),
        ("before the draw", assigning("prequeue"), ["You are in the draw", "id=\"draw\""], ["id=\"ahead\""]),
        ("sealed", assigning("sealed"), ["The list is closed", "id=\"draw\""], ["id=\"ahead\"", "id=\"rank\""]),
        ("tied", assigning("active", "first_come"), ["You came together with others"], ["id=\"draw\""]),
        (
            "called", called,
            ["rooms/summer/extend\"", ">9</span> more times", "datetime=\"2026-01-01T00:02:00.000Z\""], []
        ),
        ("no more time", calledForTheLastTime, ["rooms/summer/claim\""], ["rooms/summer/extend\""]),
    ]

    @Test(arguments: cases)
    func `the page says where a place stands`(_ name: String, _ reply: EdgeReply, _ says: [String], _ not: [String])
        async throws
    {
        try await EdgeBench.with { edge in
            edge.rooms.state.withLock { $0.replies["place"] = reply }
            let page = try await edge.ask("GET", "/sessions/ses_a", [Self.browser, Self.place])
            for text in says { #expect(page.body.contains(text), "\(name): \(text)") }
            for text in not { #expect(!page.body.contains(text), "\(name): \(text)") }
            #expect(page.body.contains("aria-live=\"polite\""))
            #expect(!page.body.contains("autofocus"))
        }
    }

    @Test func `a place that its account took elsewhere is said to be there, and can be had again`() async throws {
        try await EdgeBench.with { edge in
            edge.rooms.state.withLock { $0.replies["place"] = EdgeReply(.placeMoved, requestID: RequestID.none) }
            let page = try await edge.ask("GET", "/sessions/ses_a", [Self.browser, Self.place])
            #expect(page.body.contains("Your place is on another device"))
            #expect(page.body.contains("rooms/summer/join\""))
        }
    }

    @Test func `without script a form asks for more time and leads back`() async throws {
        try await EdgeBench.with { edge in
            edge.rooms.state.withLock { $0.replies["extend"] = EdgeReply(status: 200) }
            let form = "Content-Type: application/x-www-form-urlencoded"
            let reply = try await edge.ask(
                "POST",
                "/usher/rooms/summer/extend",
                [Self.browser, Self.place, form],
                body: "return=%2Fsessions%2Fses_a"
            )
            #expect(reply.status == 303)
            #expect(reply.first("location") == "/sessions/ses_a")
        }
    }
}
