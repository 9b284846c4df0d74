import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Testing

/// The stand-in for the payment provider, behind booking's back: what buyers do at their banks, and what goes wrong there.
struct Bank: Sendable {
    private let stack: RunningStack
    private let base: String
    private let key: String

    init(_ stack: RunningStack) throws {
        self.stack = stack
        base = "http://127.0.0.1:\(stack.paymentsPort)"
        key = try String(contentsOfFile: stack.data + "/keys/provider.key", encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @discardableResult
    func send(_ method: HTTPMethod, _ path: String, _ body: String = "") async throws -> [String: Any] {
        var request = HTTPClientRequest(url: base + path)
        request.method = method
        request.headers.add(name: "Authorization", value: "Bearer \(key)")
        if method != .GET { request.body = .bytes(ByteBuffer(string: body)) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        let data = Data(try await response.body.collect(upTo: 1 << 20).readableBytesView)
        #expect(response.status.code == 200, "\(String(decoding: data, as: UTF8.self))")
        return ((try? JSONSerialization.jsonObject(with: data)) as? [String: Any]) ?? [:]
    }

    /// Presses a button of the bank's page.
    func press(_ outcome: String, at page: String) async throws {
        var request = HTTPClientRequest(url: page)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
        request.body = .bytes(ByteBuffer(string: "outcome=\(outcome)"))
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        let client = HTTPClient(configuration: configuration)
        let status = try? await client.execute(request, timeout: .seconds(30)).status.code
        try await client.shutdown()
        #expect(status == 303)
    }

    /// The newest payment intent of an order, by the ledger.
    func intent(ofOrder id: String) throws -> String {
        let ledger = try String(contentsOfFile: try stack.fact("ledger"), encoding: .utf8)
        let line = ledger.split(separator: "\n").last { $0.contains("\"created\"") && $0.contains(id) }
        return String(try #require(line?.firstMatch(of: /"intent":"(pi_[0-9a-f]+)"/)?.output.1))
    }

    func state(ofIntent id: String) async throws -> String? {
        try await send(.GET, "/v1/payment_intents/\(id)")["status"] as? String
    }

    /// The refunds of an order's newest payment, newest first.
    func refunds(ofOrder id: String) async throws -> [String] {
        let list = try await send(.GET, "/v1/refunds?payment_intent=\(try intent(ofOrder: id))")
        return (list["data"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? String }
    }

    /// The bank's last word on a refund.
    func settle(_ refund: String, _ status: String) async throws {
        try await send(.POST, "/_test/refunds/\(refund)", #"{"status":"\#(status)"}"#)
    }

    func misbehave(_ call: String, _ kind: String, _ more: String = "") async throws {
        try await send(.POST, "/_test/faults", #"{"call":"\#(call)","kind":"\#(kind)"\#(more)}"#)
    }

    func dispute(ofOrder id: String) async throws -> String {
        let list = try await send(.GET, "/v1/disputes?payment_intent=\(try intent(ofOrder: id))")
        return try #require((list["data"] as? [[String: Any]])?.first?["id"] as? String)
    }

    /// Evidence that makes the dispute end at once.
    func end(dispute: String, by evidence: String) async throws {
        try await send(.POST, "/v1/disputes/\(dispute)", "evidence%5Buncategorized_text%5D=\(evidence)")
    }
}

extension RunningStack {
    /// Booking's own port.
    var booking: Visitor { Visitor(base: "http://127.0.0.1:\(bookingPort)") }

    /// An account that works there.
    func staff() async throws -> Visitor {
        let email = "staff-\(UUID().uuidString.lowercased())@example.org"
        let credentials = ["email": email, "password": "correct horse"]
        #expect(try await booking.post("/v1/auth/register", credentials).status == 201)
        try await sql("UPDATE account SET role = 'staff' WHERE email = '\(email)'")
        let login = try await booking.post("/v1/auth/login", credentials)
        return booking.with("Authorization", "Bearer \(try #require(login.text("access_token")))")
    }

    func sql(_ statement: String) async throws {
        #expect(try await shell("/usr/bin/env", ["psql", "-qc", statement, try fact("postgres")]) == 0)
    }
}
