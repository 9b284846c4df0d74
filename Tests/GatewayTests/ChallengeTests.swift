import Challenges
import EdgeHTTP
import Foundation
import NIOCore
import QueueTokens
import Queueing
import Redis
import Signing
import TestSupport
import Testing
import UsherAPI

@testable import GatewayServer

struct ChallengeTests {
    @Test func `a room without a challenge asks for nothing, and takes an answer for nothing`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy())
                let asked = try await node.send(.get, "/v1/rooms/sale/challenge")
                #expect(asked.status == 200)
                #expect(asked.headers.first("Cache-Control") == "no-store")
                #expect(String(buffer: asked.body) == #"{"room":"sale","kind":"off"}"#)
                #expect(try await node.tryJoin(device: 1, answer: "x.y").status == 201)
                #expect(try await node.redis.call(["EXISTS", "{r:sale}:spent"]).asInteger == 0)
                #expect(try await node.send(.post, "/v1/rooms/sale/challenge").status == 405)
                #expect(try await node.send(.get, "/v1/rooms/none/challenge").status == 404)
            }
        }
    }

    @Test func `a puzzle is given out, solved, and worth a place`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy(challenge: GatewayNode.easyWork))
                #expect(try await node.send(.get, "/v1/rooms/sale/challenge").problem() == .deviceRequired)
                let asked = try await node.challenge(device: 1)
                #expect(asked.kind == "pow" && asked.wait?.seconds == 30)
                let work = try asked.pow.orThrow()
                #expect(work.algorithm == "SHA-256" && work.limit == 1999)
                #expect(work.prefix.utf8.count == 56 && work.target.utf8.count == 64)
                let other = try await node.challenge(device: 1).pow.orThrow()
                #expect(other.prefix != work.prefix && other.token != work.token)
                let number = try GatewayNode.number(of: work)
                #expect(try await node.tryJoin(device: 1, answer: "\(work.token).\(number)").status == 201)
                #expect(node.metric(#"usher_gateway_challenges_issued_total{kind="pow"}"#) == 2)
                #expect(node.metric(#"usher_gateway_challenges_passed_total{way="pow"}"#) == 1)
            }
        }
    }

    @Test func `who has a place gets it back with any answer but a forged one`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy(challenge: GatewayNode.easyWork))
                let first = try await node.tryJoin(device: 1, answer: try await node.answer(device: 1))
                #expect(first.status == 201)
                let answers = [
                    nil, try await node.oldAnswer(device: 1, secondsAgo: 500), try await node.answer(device: 1),
                    try await node.ticket(device: 1, secondsAgo: 0), try await node.ticket(device: 1, secondsAgo: 20),
                ]
                for answer in answers {
                    let again = try await node.tryJoin(device: 1, answer: answer)
                    #expect(again.status == 200)
                    #expect(try again.decoded(JoinReply.self).place.number == 1)
                }
                #expect(try await node.tryJoin(device: 1, answer: "forged.1").problem() == .challengeFailed)
            }
        }
    }

    @Test func `a crowd with answers takes few calls to the store`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy(challenge: GatewayNode.easyWork))
                let count = 1500
                var answers: [String] = []
                for device in 0..<count { answers.append(try await node.oldAnswer(device: device, secondsAgo: 1)) }
                let before = try await functionCalls(node)
                let joins = answers
                let numbers = try await withThrowingTaskGroup(of: UInt64.self) { tasks in
                    for (device, answer) in joins.enumerated() {
                        tasks.addTask {
                            try await node.tryJoin(device: device, answer: answer).decoded(JoinReply.self).place.number
                        }
                    }
                    return try await tasks.reduce(into: Set<UInt64>()) { $0.insert($1) }
                }
                #expect(numbers == Set(1...UInt64(count)))
                // Snapshots are pulled by the same command; there are few of them meanwhile.
                let calls = try await functionCalls(node) - before
                #expect(calls < count / 5, "\(calls)")
                #expect(try await node.redis.call(["ZCARD", "{r:sale}:spent"]).asInteger == count)
                let life = try await node.redis.call(["PTTL", "{r:sale}:spent"]).asInteger ?? 0
                #expect(life > 0)
            }
        }
    }

    private func functionCalls(_ node: GatewayNode) async throws -> Int {
        let text = try await node.redis.call(["INFO", "commandstats"]).asText ?? ""
        let line = text.split(separator: "\r\n").first { $0.hasPrefix("cmdstat_fcall:calls=") } ?? ""
        return Int(line.dropFirst("cmdstat_fcall:calls=".count).prefix { $0.isNumber }) ?? 0
    }

    @Test func `without Redis a right answer opens nothing, and is good afterwards`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy(challenge: GatewayNode.easyWork))
                let answer = try await node.answer(device: 1)
                await server.kill()
                try await node.sees { $0.isDegraded }
                for shown in [nil, answer] {
                    let reply = try await node.tryJoin(device: 1, answer: shown)
                    #expect(reply.status == 503)
                    #expect(try reply.problem() == .storeUnavailable)
                    #expect(reply.headers.first("Retry-After") != nil)
                }
                try await server.restart()
                try await node.sees { !$0.isDegraded }
                #expect(try await node.tryJoin(device: 1, answer: answer).status == 201)
            }
        }
    }

    // MARK: Without work

    @Test func `waiting is worth a place too, once, and not too early`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy(challenge: GatewayNode.easyWork))
                let given = try await node.challenge(device: 1).wait.orThrow()
                let early = try await node.tryJoin(device: 1, answer: given.token)
                #expect(early.status == 425)
                #expect(try early.problem() == .challengeEarly)
                let wait = try #require(early.headers.first("Retry-After").flatMap(Int.init))
                #expect((25...30).contains(wait))
                let ticket = try await node.ticket(device: 1, secondsAgo: 20)
                let joined = try await node.tryJoin(device: 1, answer: ticket)
                #expect(joined.status == 201)
                let place = try joined.decoded(JoinReply.self).token
                _ = try await node.send(.post, "/v1/rooms/sale/leave", ["Usher-Place": place])
                #expect(try await node.tryJoin(device: 1, answer: ticket).problem() == .challengeSpent)
                let late = try await node.ticket(device: 2, secondsAgo: 121)
                #expect(try await node.tryJoin(device: 2, answer: late).problem() == .challengeExpired)
                #expect(node.metric(#"usher_gateway_challenges_passed_total{way="wait"}"#) == 2)
            }
        }
    }

    @Test func `one network gets few places by waiting, and another its own`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy(challenge: GatewayNode.easyWork))
                var statuses: [Int] = []
                for device in 0..<12 {
                    let ticket = try await node.ticket(device: device, secondsAgo: 40)
                    let reply = try await node.tryJoin(device: device, answer: ticket, from: 0x0A00_0001)
                    statuses.append(reply.status)
                    if reply.status != 201 {
                        #expect(try reply.problem() == .rateLimited)
                        #expect(reply.headers.first("Retry-After") != nil)
                    }
                }
                #expect(statuses.prefix(4).allSatisfy { $0 == 201 })
                #expect(statuses.suffix(8).allSatisfy { $0 == 429 })
                let ticket = try await node.ticket(device: 20, secondsAgo: 40)
                #expect(try await node.tryJoin(device: 20, answer: ticket, from: 0x0A00_0002).status == 201)
            }
        }
    }

    // MARK: Captcha

    @Test(arguments: [
        ("bad", 403, ProblemCode.challengeFailed), ("stall", 503, .providerUnavailable),
        ("junk", 503, .providerUnavailable), ("error", 503, .providerUnavailable),
        ("secret", 503, .providerUnavailable), ("a b", 403, .challengeFailed), ("", 403, .challengeRequired),
    ])
    func `without a yes of the provider nobody gets in`(answer: String, status: Int, code: ProblemCode) async throws {
        try await CaptchaProvider.with { _, verifier in
            try await withTemporaryRedis { server in
                try await withGateway(on: server, captcha: verifier, tick: nil) { node in
                    try await node.open(try GatewayNode.policy(challenge: #"{"kind":"captcha"}"#))
                    let reply = try await node.tryJoin(device: 1, answer: answer)
                    #expect(reply.status == status)
                    #expect(try reply.problem() == code)
                    #expect((reply.headers.first("Retry-After") != nil) == (status == 503))
                    let asked = try await node.send(.get, "/v1/rooms/sale/challenge")
                    let kind =
                        #"{"room":"sale","kind":"captcha","captcha":{"site_key":"site","widget":"cf-turnstile"}}"#
                    #expect(String(buffer: asked.body) == kind)
                }
            }
        }
    }

    @Test func `a gateway that cannot ask lets nobody in and says so`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                for kind in ["captcha", "attestation"] {
                    try await node.open(try GatewayNode.policy(challenge: #"{"kind":"\#(kind)"}"#), room: kind)
                    let join = try await node.tryJoin(device: 1, answer: "good", room: kind)
                    #expect(join.status == 503)
                    #expect(try join.problem() == .providerUnavailable)
                    let asked = try await node.send(.get, "/v1/rooms/\(kind)/challenge")
                    #expect(asked.status == 503)
                }
            }
        }
    }

    // MARK: Attestation

    @Test func `an entry ticket is one place for one person, on any device`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, entryIssuer: "https://club.example", tick: nil) { node in
                try await node.open(try GatewayNode.policy(challenge: #"{"kind":"attestation"}"#))
                let key = try IssuerKey()
                func ticket(_ person: String, room: String = "sale", age: Int64 = 0) throws -> String {
                    let now = WallClock.now().seconds - age
                    return try EntryTicket(
                        issuer: "https://club.example",
                        room: room,
                        subject: person,
                        issuedAt: now,
                        expiresAt: now + 600
                    ).sign(with: key)
                }
                let unready = try await node.tryJoin(device: 1, answer: try ticket("ada"))
                #expect(try unready.problem() == .providerUnavailable)
                let keys = try IssuerKeys(jwks: key.jwks)
                node.rooms.update { $0.entryKeys = keys }

                #expect(try await node.tryJoin(device: 1, answer: try ticket("ada")).status == 201)
                let elsewhere = try await node.tryJoin(device: 2, answer: try ticket("ada"))
                #expect(elsewhere.status == 200)
                #expect(try elsewhere.decoded(JoinReply.self).place.number == 1)
                #expect(try await node.tryJoin(device: 1, answer: try ticket("bob")).status == 201)
                #expect(try await node.tryJoin(device: 1).problem() == .challengeRequired)
                #expect(
                    try await node.tryJoin(device: 1, answer: try ticket("eve", age: 601)).problem()
                        == .challengeExpired
                )
                #expect(
                    try await node.tryJoin(device: 1, answer: try ticket("eve", room: "x")).problem()
                        == .challengeFailed
                )
                // A key that is not trusted any more.
                let others = try IssuerKeys(jwks: IssuerKey().jwks)
                node.rooms.update { $0.entryKeys = others }
                #expect(try await node.tryJoin(device: 1, answer: try ticket("eve")).problem() == .challengeFailed)
                let asked = try await node.send(.get, "/v1/rooms/sale/challenge")
                #expect(
                    String(buffer: asked.body) == #"{"room":"sale","kind":"attestation","attestation":"#
                        + #"{"issuer":"https://club.example","type":"usher-entry+jwt"}}"#
                )
            }
        }
    }
}
