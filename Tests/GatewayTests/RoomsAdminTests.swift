import EdgeHTTP
import Foundation
import Logging
import NIOCore
import NIOPosix
import Operations
import QueueTokens
import Queueing
import RateLimiting
import TestSupport
import Testing
import UsherAPI

@testable import GatewayServer

struct TestAdmin {
    static let token = "a-token-of-the-tests-0000000000000000"
    let api: AdminAPI

    init(_ node: GatewayNode, challenger: Challenger = Challenger(MetricsRegistry())) {
        api = AdminAPI(
            token: AdminToken(Self.token),
            store: node.store,
            access: AccessStore(redis: node.redis),
            rooms: node.rooms,
            limits: node.limits,
            challenger: challenger,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    func send(
        _ method: EdgeMethod,
        _ path: String,
        _ body: String = "",
        _ headers: EdgeHeaders = [:],
        token: String? = token
    ) async -> EdgeReply {
        var all = headers
        if let token { all.add("Authorization", "Bearer \(token)") }
        let head = EdgeRequestHead(method: method, target: "/admin/v1/\(path)", headers: all)
        return await api.answer(
            EdgeRequest(head: head, body: ByteBuffer(string: body), clientAddress: .unknown, id: .none)
        )
    }
}

private struct Report: Decodable {
    struct Numbers: Decodable {
        var places: Int
        var cursor: Int
        var outlook: String
    }

    var room: String
    var phase: String
    var `override`: String
    var version: Int
    var numbers: Numbers
}

struct RoomsAdminTests {
    @Test func `nothing is told without the token`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                let admin = TestAdmin(node)
                for token in [nil, "", "wrong", TestAdmin.token + "x"] {
                    let reply = await admin.send(.get, "rooms", token: token)
                    #expect(reply.status == 401)
                    #expect(reply.headers.first("WWW-Authenticate") == "Bearer")
                }
                #expect(await admin.send(.get, "rooms").status == 200)
            }
        }
    }

    @Test func `a room is made once and changed by version`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                let admin = TestAdmin(node)
                let policy = #"{"admission":{"per_minute":60}}"#
                #expect(await admin.send(.put, "rooms/sale", policy).status == 428)
                let made = await admin.send(.put, "rooms/sale", policy, ["If-None-Match": "*"])
                #expect(made.status == 201)
                #expect(made.headers.first("ETag") == "\"1\"")
                #expect(try made.decoded(Report.self).phase == "active")
                let again = await admin.send(.put, "rooms/sale", policy, ["If-None-Match": "*"])
                #expect(again.status == 412)
                try await node.sees { $0.version == 1 }

                let faster = #"{"admission":{"per_minute":120}}"#
                #expect(await admin.send(.put, "rooms/sale", faster, ["If-Match": "\"9\""]).status == 412)
                #expect(await admin.send(.put, "rooms/sale", faster, ["If-Match": "1"]).status == 412)
                #expect(await admin.send(.put, "rooms/other", faster, ["If-Match": "\"1\""]).status == 404)
                let bad = await admin.send(.put, "rooms/sale", #"{"pace":1}"#, ["If-Match": "\"1\""])
                #expect(bad.status == 422)
                #expect(try bad.problem() == .policyInvalid)
                let changed = await admin.send(.put, "rooms/sale", faster, ["If-Match": "\"1\""])
                #expect(changed.status == 200)
                #expect(changed.headers.first("ETag") == "\"2\"")
                try await node.sees { $0.version == 2 && $0.policy.admission.perMinute == 120 }
                #expect(await admin.send(.put, "rooms/No", faster, ["If-None-Match": "*"]).status == 400)
            }
        }
    }

    @Test func `a challenge is kept with its numbers, and refused where this gateway cannot ask it`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                let admin = TestAdmin(node)
                let pow = #"{"challenge":{"kind":"pow","wait_seconds":20}}"#
                let made = await admin.send(.put, "rooms/sale", pow, ["If-None-Match": "*"])
                #expect(made.status == 201)
                #expect(
                    String(buffer: made.body).contains(#""kind":"pow","steps":[{"hashes":25000,"joins_per_second":0}"#)
                )
                for (kind, setting) in [("captcha", "--captcha-verify-url"), ("attestation", "--entry-issuer")] {
                    let body = #"{"challenge":{"kind":"\#(kind)"}}"#
                    let refused = await admin.send(.put, "rooms/sale", body, ["If-Match": "\"1\""])
                    #expect(refused.status == 422)
                    let problem = try refused.decoded(Problem.self)
                    #expect(problem.code == .policyInvalid)
                    #expect(problem.detail?.contains(setting) == true)
                    let able = TestAdmin(
                        node,
                        challenger: Challenger(MetricsRegistry(), captcha: NoCaptcha(), entryIssuer: "me")
                    )
                    let taken = await able.send(.put, "rooms/\(kind)", body, ["If-None-Match": "*"])
                    #expect(taken.status == 201)
                }
            }
        }
    }

    private struct NoCaptcha: CaptchaCheck {
        func verdict(on answer: String, from address: String) async -> CaptchaVerdict { .refused }
    }

    @Test func `phase, pause, message and numbers`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                let admin = TestAdmin(node)
                _ = await admin.send(.put, "rooms/sale?phase=draft", "{}", ["If-None-Match": "*"])
                try await node.sees { $0.phase == .draft }
                let wrong = await admin.send(.post, "rooms/sale/phase", #"{"phase":"draining"}"#)
                #expect(wrong.status == 409)
                #expect(try wrong.problem() == .invalidTransition)
                #expect(await admin.send(.post, "rooms/sale/phase", #"{"phase":"active"}"#).status == 200)
                try await node.sees { $0.phase == .active }
                #expect(try await admin.send(.post, "rooms/sale/pause").decoded(Report.self).override == "paused")
                try await node.sees { $0.isPaused }
                #expect(await admin.send(.put, "rooms/sale/message", #"{"message":"Short \"break\""}"#).status == 200)
                let place = try await node.join(device: 1).body.token
                try await eventually { try await node.place(place).message == "Short \"break\"" }
                #expect(try await admin.send(.post, "rooms/sale/resume").decoded(Report.self).override == "none")
                try await node.sees { $0.cursor == 1 }
                let report = try await admin.send(.get, "rooms/sale").decoded(Report.self)
                #expect(report.numbers.places == 1 && report.numbers.cursor == 1)
                #expect(await admin.send(.post, "rooms/sale/override", #"{"override":"fail_open"}"#).status == 400)
                #expect(await admin.send(.post, "rooms/sale/override", #"{"override":"open"}"#).status == 400)
                #expect(await admin.send(.post, "rooms/sale/dance", "{}").status == 404)
                #expect(await admin.send(.post, "rooms/sale/phase", "{").status == 400)
                #expect(await admin.send(.get, "limits").status == 200)
            }
        }
    }

    @Test func `an admin revokes a pass`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                let admin = TestAdmin(node)
                try await node.open(try GatewayNode.policy())
                let token = try await node.passToken(try await node.join(device: 1).body.token)
                let id = try node.keys.passes.verifyTag(ofPass: token, room: "sale", at: WallClock.now().seconds).passID
                #expect(await admin.send(.post, "rooms/sale/revoke", #"{"pass":"\#(id)"}"#).status == 200)
                try await eventually {
                    try await node.verdict(["Usher-Pass": token]) == .refused(.passExpired)
                }
            }
        }
    }

    @Test func `the token file is made once, for its owner only`() throws {
        let folder = "/tmp/usher-admin-\(UInt32.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/deep/admin.token"
        _ = try AdminToken.load(from: path)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let text = try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .newlines)
        #expect(try AdminToken.load(from: path).isShown(in: "Bearer \(text)"))
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        #expect(throws: AdminToken.Fault.self) { try AdminToken.load(from: path) }
    }
}
