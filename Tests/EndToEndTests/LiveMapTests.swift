import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Testing

/// The live map through the gateway.
@Suite(.serialized) struct LiveMapTests {
    /// The first events of a stream, as text.
    private static func events(
        _ count: Int,
        of path: String,
        by visitor: Visitor,
        lastEventID: String? = nil,
        afterFirst: () async throws -> Void = {}
    ) async throws -> [String] {
        var request = HTTPClientRequest(url: visitor.base + path)
        request.headers = visitor.headers
        if let lastEventID { request.headers.replaceOrAdd(name: "Last-Event-ID", value: lastEventID) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        #expect(response.status == .ok)
        #expect(response.headers.first(name: "Content-Type") == "text/event-stream")
        var (text, found): (String, [String]) = ("", [])
        for try await piece in response.body {
            text += String(buffer: piece)
            var parts = text.components(separatedBy: "\n\n")
            text = parts.removeLast()
            let isFirst = found.isEmpty
            found += parts.filter { !$0.hasPrefix(":") }
            if isFirst, !found.isEmpty { try await afterFirst() }
            if found.count >= count { break }
        }
        return Array(found.prefix(count))
    }

    @Test func `a buyer sees holds come and go, and after a break only what was missed (T19)`() async throws {
        try await RunningStack.with { stack in
            let tour = try await Tour(stack)
            let buyer = try await tour.buyer()
            let path = "/v1/sessions/\(tour.session)/seats/stream"
            #expect(try await tour.stranger.get(path).code == "pass_required")

            let seen = try await Self.events(2, of: path, by: buyer) {
                let held = try await tour.hold(["MAIN-F-9", "MAIN-F-10"], by: buyer)
                #expect(held.status == 201)
            }
            #expect(seen[0].contains("event: snapshot") && seen[0].contains(#""kind":"area""#))
            // Section 1, row F is its second, seats from place 8 on.
            #expect(seen[1].contains("event: delta") && seen[1].contains(#"[1,1,8,"HH"]"#), "\(seen[1])")
            let account = try #require(try await buyer.get("/v1/me").text("id"))
            #expect(!seen[1].contains(account))

            let id = try #require(seen[0].split(separator: "\n").first?.dropFirst("id: ".count))
            let missed = try await Self.events(1, of: path, by: buyer, lastEventID: String(id))
            #expect(missed[0].contains("event: delta") && missed[0].contains(#"[1,1,8,"HH"]"#))
            for strange in ["999999-1", "1-99999999", "what", "1"] {
                let whole = try await Self.events(1, of: path, by: buyer, lastEventID: strange)
                #expect(whole[0].contains("event: snapshot"), "\(strange)")
            }
        }
    }
}
