import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// One visitor with curl in hand: sends requests and reads JSON.
struct Visitor: Sendable {
    struct Reply: Sendable {
        var status: Int
        var headers: HTTPHeaders
        var body: Data

        var json: [String: Any] {
            ((try? JSONSerialization.jsonObject(with: body)) as? [String: Any]) ?? [:]
        }

        /// A member by its dotted path.
        func text(_ path: String) -> String? { value(path) as? String }
        func number(_ path: String) -> Int? { (value(path) as? NSNumber)?.intValue }

        func value(_ path: String) -> Any? {
            path.split(separator: ".").reduce(json as Any?) { ($0 as? [String: Any])?[String($1)] }
        }

        var code: String? { text("code") }
    }

    let base: String
    var headers: HTTPHeaders = [:]

    func with(_ name: String, _ value: String) -> Visitor {
        var other = self
        other.headers.replaceOrAdd(name: name, value: value)
        return other
    }

    func without(_ name: String) -> Visitor {
        var other = self
        other.headers.remove(name: name)
        return other
    }

    @discardableResult
    func send(_ method: HTTPMethod, _ path: String, json: Any? = nil) async throws -> Reply {
        var request = HTTPClientRequest(url: base + path)
        request.method = method
        request.headers = headers
        if let json {
            request.headers.replaceOrAdd(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: try JSONSerialization.data(withJSONObject: json)))
        }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        let body = try await response.body.collect(upTo: 4 << 20)
        return Reply(status: Int(response.status.code), headers: response.headers, body: Data(body.readableBytesView))
    }

    func get(_ path: String) async throws -> Reply { try await send(.GET, path) }
    func post(_ path: String, _ json: Any? = nil) async throws -> Reply { try await send(.POST, path, json: json) }
}
