// Whole rooms over sockets, audited afterwards from what they publish alone.
import AsyncHTTPClient
import Fairness
import Foundation
import NIOCore
import NIOHTTP1
import Queueing
import TestSupport
import Testing
import UsherAPI

@testable import GatewayServer

struct AuditedRoomTests {
    /// Header and sections as anybody gets them.
    private static func bundle(_ port: Int) async throws -> RoomBundle {
        let line = try await get(port, "audit")
        var file = line + [UInt8(ascii: "\n")]
        for section in try RoomBundle.header(line).sections {
            var bytes: [UInt8] = []
            while bytes.count < section.bytes {
                let piece = try await get(port, "audit/\(section.name)?from=\(bytes.count)")
                try #require(!piece.isEmpty)
                bytes += piece.prefix(section.bytes - bytes.count)
            }
            file += bytes
        }
        return try RoomBundle(file: file)
    }

    private static func get(_ port: Int, _ action: String) async throws -> [UInt8] {
        let url = "http://127.0.0.1:\(port)/v1/rooms/sale/\(action)"
        let reply = try await HTTPClient.shared.execute(HTTPClientRequest(url: url), timeout: .seconds(10))
        #expect(reply.status == .ok, "\(url)")
        return Array(try await reply.body.collect(upTo: 1 << 20).readableBytesView)
    }

    private static func make(_ policy: String, _ ports: RunningPorts, _ client: RawClient) async throws {
        let made = try await client.ask(
            "PUT",
            "/admin/v1/rooms/sale",
            ["Authorization: Bearer \(ports.token)", "If-None-Match: *"],
            body: policy
        )
        #expect(made.status == 201)
    }

    private static func join(_ device: Int, _ client: RawClient) async throws -> String {
        let reply = try await client.ask(
            "POST",
            "/v1/rooms/sale/join",
            ["Usher-Device: \(GatewayNode.device(device))"]
        )
        return try JSONDecoder().decode(JoinReply.self, from: Data(reply.body.utf8)).token
    }

    private static func claim(_ token: String, _ client: RawClient) async throws {
        try await eventually {
            try await client.ask("POST", "/v1/rooms/sale/claim", ["Usher-Place: \(token)"]).status == 200
        }
    }

    private static func close(_ ports: RunningPorts, _ client: RawClient) async throws {
        let closed = try await client.ask(
            "POST",
            "/admin/v1/rooms/sale/phase",
            ["Authorization: Bearer \(ports.token)"],
            body: #"{"phase":"closed"}"#
        )
        #expect(closed.status == 200)
    }

    /// Every check holds; `done` of them must not have been skipped.
    private static func check(_ port: Int, done: [String]) async throws {
        var report: AuditReport?
        try await eventually {
            let made = Audit.run(try await bundle(port))
            report = made
            return made.checks.contains { $0.name == "coverage" && $0.verdict == .ok }
        }
        let checks = try #require(report).checks
        for check in checks { #expect(check.verdict != .failed, "\(check.name): \(check.detail)") }
        for name in done {
            let check = try #require(checks.first { $0.name == name })
            #expect(check.verdict == .ok, "\(name): \(check.detail)")
        }
    }

    @Test func `a lottery with quicknet passes its audit`() async throws {
        let relays = [try await DrandRelay.start(), try await DrandRelay.start(), try await DrandRelay.start(.forging)]
        try await withTemporaryRedis { server in
            let urls = relays.map(\.url).joined(separator: ",")
            try await withRunningGateway(server, arguments: ["--beacon-relays", urls]) { ports, _ in
                let admin = try await RawClient.connect(to: ports.admin, on: server.eventLoopGroup)
                let visitor = try await RawClient.connect(to: ports.visitors, on: server.eventLoopGroup)
                let opens = (WallClock.now() + .seconds(2)).rfc3339
                let policy = """
                    {"admission":{"ramp_seconds":0,"per_minute":60000},"order":{"method":"lottery"},\
                    "schedule":{"sale_opens_at":"\(opens)"}}
                    """
                try await Self.make(policy, ports, admin)
                var tokens: [String] = []
                for device in 0..<12 { tokens.append(try await Self.join(device, visitor)) }
                // Only the draw draws.
                let skipped = try await admin.ask(
                    "POST",
                    "/admin/v1/rooms/sale/phase",
                    ["Authorization: Bearer \(ports.token)"],
                    body: #"{"phase":"drawn"}"#
                )
                #expect(skipped.status == 409)
                try await eventually(within: .seconds(60)) {
                    try await visitor.ask("GET", "/v1/rooms/sale/draw").body.contains(#""phase":"active""#)
                }
                for device in 12..<15 { tokens.append(try await Self.join(device, visitor)) }
                for token in tokens { try await Self.claim(token, visitor) }
                try await Self.check(
                    ports.visitors,
                    done: ["seal", "beacon", "draw", "ranks", "places", "moves", "claims", "order", "tree"]
                )
            }
        }
        for relay in relays { try await relay.stop() }
    }

    @Test func `a room with tie windows passes its audit once it is closed and its key revealed`() async throws {
        try await withTemporaryRedis { server in
            try await withRunningGateway(server) { ports, _ in
                let admin = try await RawClient.connect(to: ports.admin, on: server.eventLoopGroup)
                let visitor = try await RawClient.connect(to: ports.visitors, on: server.eventLoopGroup)
                let policy = """
                    {"admission":{"ramp_seconds":0,"per_minute":60000},\
                    "order":{"method":"first_come","tie_window_ms":300}}
                    """
                try await Self.make(policy, ports, admin)
                var tokens: [String] = []
                for device in 0..<30 { tokens.append(try await Self.join(device, visitor)) }
                for token in tokens { try await Self.claim(token, visitor) }
                #expect(try await Self.bundle(ports.visitors).header.secret == nil)
                try await Self.close(ports, admin)
                try await eventually { try await Self.bundle(ports.visitors).header.secret != nil }
                try await Self.check(ports.visitors, done: ["commitment", "ties", "ranks", "claims", "order", "tree"])
            }
        }
    }
}
