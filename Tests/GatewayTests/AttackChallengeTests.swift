// Attacks 35, 36 and 37 of the list: replayed, forged and shared answers; what the work costs; captcha answers used twice.
import Challenges
import EdgeHTTP
import Foundation
import NIOCore
import NIOPosix
import Queueing
import Redis
import Signing
import TestSupport
import Testing
import UsherAPI

@testable import GatewayServer

struct AttackChallengeTests {
    // MARK: 32

    @Test func `attack 32: joins without an answer never fill the buffer of those who have one`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy(challenge: GatewayNode.easyWork))
                await server.pause()
                let loop = node.group.next()
                func join(_ count: Int, _ right: JoinRight) async throws -> [Bool] {
                    try await loop.submit { [rooms = node.rooms] () -> [Bool] in
                        guard let room = rooms.on(loop).room("sale") else { return [] }
                        let batcher = rooms.on(loop).joins(of: room)
                        return (0..<count).map { (number: Int) -> Bool in
                            let tag = [UInt8](repeating: 0, count: 14) + [UInt8(number >> 8), UInt8(number & 255)]
                            // Answered at once, or waiting for the store.
                            var isAnswered = false
                            batcher.join(tag: tag, right: right, arrivedAt: Moment(seconds: 1), near: 0) { _ in
                                isAnswered = true
                            }
                            return isAnswered
                        }
                    }.get()
                }
                let flood = try await join(JoinBatcher.unansweredMax + 500, .onlyBack)
                #expect(flood.prefix(JoinBatcher.unansweredMax).allSatisfy { !$0 })
                #expect(flood.suffix(500).allSatisfy { $0 })
                let right = JoinRight.spending(id: [UInt8](repeating: 1, count: 16), expiresAtMS: 1)
                let others = try await join(JoinBatcher.waitingMax - JoinBatcher.unansweredMax, right)
                #expect(others.allSatisfy { !$0 })
                await server.resume()
            }
        }
    }

    // MARK: 35

    @Test func `attack 35: an answer replayed in parallel through two gateways gives one place`() async throws {
        try await withTemporaryRedis { server in
            let keys = try ephemeralKeys()
            try await withGateway(on: server, keys: keys, tick: nil) { one in
                try await one.open(try GatewayNode.policy(challenge: GatewayNode.easyWork))
                try await withGateway(on: server, keys: keys, tick: nil) { two in
                    try await two.sees { $0.phase == .active }
                    let answer = try await one.answer(device: 1)
                    let replies = try await withThrowingTaskGroup(of: EdgeReply.self) { tasks in
                        for node in [one, two] {
                            for _ in 0..<50 { tasks.addTask { try await node.tryJoin(device: 1, answer: answer) } }
                        }
                        return try await tasks.reduce(into: []) { $0.append($1) }
                    }
                    #expect(replies.count { $0.status == 201 } == 1)
                    #expect(replies.count { $0.status == 200 } == 99)
                    let numbers = try Set(replies.map { try $0.decoded(JoinReply.self).place.number })
                    #expect(numbers == [1])
                    let log = try await one.redis.call(["STRLEN", "{r:sale}:log"])
                    #expect(log.asInteger == 24)
                }
            }
        }
    }

    @Test func `attack 35: an answer gives no second place after the first was left`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy(challenge: GatewayNode.easyWork))
                let answer = try await node.answer(device: 1)
                let first = try await node.tryJoin(device: 1, answer: answer)
                let place = try first.decoded(JoinReply.self).token
                #expect(try await node.send(.post, "/v1/rooms/sale/leave", ["Usher-Place": place]).status == 204)
                for _ in 0..<3 {
                    let again = try await node.tryJoin(device: 1, answer: answer)
                    #expect(again.status == 403)
                    #expect(try again.problem() == .challengeSpent)
                    #expect(again.headers.first("Link") == "</v1/rooms/sale/challenge>; rel=\"challenge\"")
                }
                let fresh = try await node.tryJoin(device: 1, answer: try await node.answer(device: 1))
                #expect(fresh.status == 201)
                #expect(try fresh.decoded(JoinReply.self).place.number == 2)
            }
        }
    }

    @Test func `attack 35: an answer solved once is worth nothing to others, nor in another room`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                let policy = try GatewayNode.policy(challenge: GatewayNode.easyWork)
                try await node.open(policy)
                try await node.open(policy, room: "other")
                let answer = try await node.answer(device: 1)
                for device in 2..<6 {
                    let reply = try await node.tryJoin(device: device, answer: answer)
                    #expect(reply.status == 403)
                    #expect(try reply.problem() == .challengeFailed)
                }
                #expect(try await node.tryJoin(device: 1, answer: answer, room: "other").problem() == .challengeFailed)
                #expect(try await node.tryJoin(device: 1, answer: answer).status == 201)
            }
        }
    }

    @Test func `attack 35: nothing but the number under the seal is taken`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy(challenge: GatewayNode.easyWork))
                let work = try await node.challenge(device: 1).pow.orThrow()
                let number = try GatewayNode.number(of: work)
                let bytes = try Base64URL.decode(work.token).orThrow()
                func altered(_ position: Int, to byte: UInt8) -> String {
                    var copy = bytes
                    copy[position] = byte
                    return "\(Base64URL.encode(copy)).\(number)"
                }
                // An easy target of one's own: the hash of number 0.
                var own = bytes
                let easy = SHA256.digest(try Hex.decode(work.prefix).orThrow() + [0, 0, 0, 0])
                own.replaceSubrange(31..<63, with: easy)
                let forged = [
                    ("unchecked target: number 0", "\(work.token).\(number == 0 ? 1 : 0)"),
                    ("unchecked target: past the limit", "\(work.token).\(work.limit)"),
                    ("version", altered(0, to: 2)), ("kind", altered(1, to: 2)), ("algorithm", altered(2, to: 0)),
                    ("salt", altered(3, to: bytes[3] ^ 1)), ("expiry", altered(19, to: 0x7F)),
                    ("expiry", altered(26, to: bytes[26] ^ 0xFF)), ("limit", altered(30, to: bytes[30] ^ 1)),
                    ("target", altered(40, to: bytes[40] ^ 1)), ("seal", altered(94, to: bytes[94] ^ 1)),
                    ("own target", "\(Base64URL.encode(own)).0"),
                    ("no seal", "\(Base64URL.encode(Array(bytes.dropLast(32)))).\(number)"),
                    (
                        "the wait without the wait",
                        "\(try await node.challenge(device: 1).wait.orThrow().token).\(number)"
                    ),
                    ("nothing", "."), ("words", "please"),
                ]
                for (what, answer) in forged {
                    let reply = try await node.tryJoin(device: 1, answer: answer)
                    #expect(try reply.problem() == .challengeFailed, "\(what)")
                }
                let missing = try await node.tryJoin(device: 1)
                #expect(missing.status == 403)
                #expect(try missing.problem() == .challengeRequired)
                #expect(missing.headers.first("Link") == "</v1/rooms/sale/challenge>; rel=\"challenge\"")
                #expect(try await node.redis.call(["EXISTS", "{r:sale}:tags"]).asInteger == 0)
                #expect(try await node.tryJoin(device: 1, answer: "\(work.token).\(number)").status == 201)
            }
        }
    }

    @Test func `attack 35: nothing can be solved ahead of the opening, nor kept past two minutes`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy(challenge: GatewayNode.easyWork), phase: .scheduled)
                let early = try await node.send(
                    .get,
                    "/v1/rooms/sale/challenge",
                    ["Usher-Device": GatewayNode.device(1)]
                )
                #expect(early.status == 409)
                _ = try await node.store.setPhase(try #require(RoomName("sale")), from: .scheduled, to: .active)
                try await node.sees { $0.phase == .active }
                let old = try await node.tryJoin(
                    device: 1,
                    answer: try await node.oldAnswer(device: 1, secondsAgo: 121)
                )
                #expect(old.status == 403)
                #expect(try old.problem() == .challengeExpired)
                let good = try await node.tryJoin(
                    device: 1,
                    answer: try await node.oldAnswer(device: 1, secondsAgo: 110)
                )
                #expect(good.status == 201)
            }
        }
    }

    // MARK: 36

    @Test func `attack 36: the work a gateway asks for is the one that is written down`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy(challenge: #"{"kind":"pow"}"#))
                let calm = try await node.challenge(device: 1).pow.orThrow()
                #expect((calm.limit + 1) / 2 == 25_000)
                let challenger = node.challenger
                let now = node.rooms.view.now().milliseconds
                // A crowd from everywhere: 200 networks.
                for index in 0..<400 {
                    let address = ClientAddress(ipv4: 0x0A00_0000 | UInt32(index % 200))
                    challenger.noteJoin(room: "sale", from: address, atMS: now)
                }
                let busy = try await node.challenge(device: 2).pow.orThrow()
                #expect((busy.limit + 1) / 2 == 100_000)
                try await eventually { node.metric(#"usher_gateway_challenge_hashes{room="sale"}"#) == 100_000 }
                for _ in 0..<8 {
                    challenger.noteJoin(room: "sale", from: ClientAddress(ipv4: 0x0B00_0001), atMS: now)
                }
                let greedy = try await node.challenge(device: 3, from: 0x0B00_0001).pow.orThrow()
                #expect((greedy.limit + 1) / 2 == 400_000)
            }
        }
    }

    // MARK: 37

    @Test func `attack 37: a captcha answer gives one place, whoever shows it and however often`() async throws {
        try await CaptchaProvider.with { provider, verifier in
            try await withTemporaryRedis { server in
                try await withGateway(on: server, captcha: verifier, tick: nil) { node in
                    try await node.open(try GatewayNode.policy(challenge: #"{"kind":"captcha"}"#))
                    #expect(try await node.tryJoin(device: 1, answer: "good-1").status == 201)
                    // The visitor again: its reply may have been lost.
                    let again = try await node.tryJoin(device: 1, answer: "good-1")
                    #expect(again.status == 200)
                    let other = try await node.tryJoin(device: 2, answer: "good-1")
                    #expect(other.status == 403)
                    #expect(try other.problem() == .challengeSpent)
                    // A provider that takes an answer twice is no help.
                    let replies = try await withThrowingTaskGroup(of: Int.self) { tasks in
                        for device in 10..<40 {
                            tasks.addTask { try await node.tryJoin(device: device, answer: "always").status }
                        }
                        return try await tasks.reduce(into: []) { $0.append($1) }
                    }
                    #expect(replies.count { $0 == 201 } == 1)
                    #expect(replies.count { $0 == 403 } == 29)
                    let form = try #require(provider.forms.first)
                    #expect(form == "secret=s%26cret&response=good-1&remoteip=127.0.0.1")
                }
            }
        }
    }
}
