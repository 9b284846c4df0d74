import EdgeHTTP
import Foundation
import NIOCore
import NIOPosix
import QueueTokens
import Queueing
import Redis
import TestSupport
import Testing
import UsherAPI

@testable import GatewayServer

struct RoomsOutageTests {
    @Test func `without Redis polls go on, claims wait, joins end with Retry-After, and nothing opens`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                try await node.open(try GatewayNode.policy())
                let place = try await node.join(device: 1).body.token
                let pass = try await node.passToken(place)
                try await node.sees { $0.cursor == 1 }
                await server.kill()
                try await node.sees { $0.isDegraded }

                let body = try await node.place(place)
                #expect(body.degraded == true)
                #expect(body.place.number == 1)
                let claim = try await node.claim(place)
                #expect(claim.status == 202)
                #expect(try claim.decoded(PlaceReply.self).place.state == .called)
                let known = try node.keys.passes.verifyTag(ofPass: pass, room: "sale", at: WallClock.now().seconds)
                #expect(try await node.verdict(["Usher-Pass": pass]) == .granted(id: known.passID))
                #expect(try await node.verdict([:]) == .refused(.passRequired))
                let join = try await node.send(.post, "/v1/rooms/sale/join", ["Usher-Device": GatewayNode.device(2)])
                #expect(join.status == 503)
                #expect(try join.problem() == .storeUnavailable)
                #expect(join.headers.first("Retry-After") != nil)

                try await server.restart()
                try await node.sees { !$0.isDegraded }
                #expect(try await node.join(device: 1).body.place.number >= 1)
                let fresh = try await node.join(device: 3).body.place.number
                #expect(fresh > 1)
            }
        }
    }

    @Test func `joins made while Redis restarts get their places`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy())
                _ = try await node.join(device: 1)
                await server.kill()
                try await withThrowingTaskGroup(of: EdgeReply.self) { tasks in
                    for device in 2..<40 {
                        tasks.addTask {
                            try await node.send(
                                .post,
                                "/v1/rooms/sale/join",
                                ["Usher-Device": GatewayNode.device(device)]
                            )
                        }
                    }
                    try await server.restart()
                    var numbers: Set<UInt64> = []
                    for try await reply in tasks {
                        // A restart that takes longer than the patience is answered, not hung.
                        guard reply.status != 503 else { continue }
                        #expect(reply.status == 201)
                        numbers.insert(try reply.decoded(JoinReply.self).place.number)
                    }
                    #expect(numbers.count == 38)
                }
            }
        }
    }

    @Test func `more joins than the buffer holds are refused at once`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy())
                await server.pause()
                let loop = node.group.next()
                let refused = try await loop.submit { [rooms = node.rooms] () -> [Bool] in
                    guard let room = rooms.on(loop).room("sale") else { return [] }
                    let batcher = rooms.on(loop).joins(of: room)
                    return (0..<(JoinBatcher.waitingMax + 600)).map { (number: Int) -> Bool in
                        let tail = [UInt8(number >> 8), UInt8(number & 255)]
                        let tag = [UInt8](repeating: UInt8(number % 251), count: 14) + tail
                        var isCrowded = false
                        batcher.join(tag: tag, arrivedAt: Moment(seconds: 1), near: 0) { result in
                            if case .failure(.crowded) = result { isCrowded = true }
                        }
                        return isCrowded
                    }.suffix(50)
                }.get()
                await server.resume()
                #expect(refused.count == 50)
                #expect(refused.allSatisfy { $0 })
            }
        }
    }

    @Test func `who finds the buffer full is told 503 and a spread time to come back`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy())
                await server.pause()
                try await withThrowingTaskGroup(of: EdgeReply.self) { tasks in
                    // Enough to fill the buffer of whichever loop, with what is on its way to the store.
                    for device in 0..<(2 * (JoinBatcher.waitingMax + 2 * JoinBatcher.sliceMax)) {
                        tasks.addTask {
                            try await node.send(
                                .post,
                                "/v1/rooms/sale/join",
                                ["Usher-Device": GatewayNode.device(device)]
                            )
                        }
                    }
                    var waits: Set<String> = []
                    for try await reply in tasks where try reply.status == 503 && reply.problem() == .overloaded {
                        waits.insert(try reply.headers.first("Retry-After").orThrow())
                        guard waits.count < 3 else { break }
                    }
                    #expect(waits.count == 3)
                    await server.resume()
                    tasks.cancelAll()
                }
            }
        }
    }

    @Test func `a pass that is due for renewal holds on while the store is away`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                try await node.open(try GatewayNode.policy(idle: 10))
                let pass = try await node.passToken(try await node.join(device: 1).body.token)
                let known = try node.keys.passes.verifyTag(ofPass: pass, room: "sale", at: WallClock.now().seconds)
                await server.kill()
                try await node.sees { $0.isDegraded }
                try await eventually { known.expiresAt - WallClock.now().seconds < 5 }
                #expect(try await node.verdict(["Usher-Pass": pass]) == .granted(id: known.passID))
            }
        }
    }

    @Test func `after a rewind a gateway that gave no number itself gives none again, and the epoch is new`()
        async throws
    {
        try await withTemporaryRedis { server in
            let keys = try ephemeralKeys()
            try await withGateway(on: server, keys: keys, tick: nil) { first in
                try await first.open(try GatewayNode.policy())
                try await withGateway(on: server, keys: keys, tick: nil) { second in
                    for device in 0..<20 { _ = try await first.join(device: device) }
                    try await second.sees { $0.lastNumber == 20 }
                    try await first.forget(through: 5)
                    try await second.sees { $0.lastNumber == 5 }
                    #expect(try await second.join(device: 100).body.place.number > 20)
                    try await second.sees { $0.epoch == 2 }
                }
            }
        }
    }

    @Test func `a store that is rewound while the gateway is away gives no number again`() async throws {
        try await withTemporaryRedis { server in
            let file = FileManager.default.temporaryDirectory.appending(path: "usher-\(UUID().uuidString).json").path()
            defer { try? FileManager.default.removeItem(atPath: file) }
            let keys = try ephemeralKeys()
            try await withGateway(on: server, keys: keys, tick: nil, checkpointFile: file) { node in
                try await node.open(try GatewayNode.policy())
                for device in 0..<20 { _ = try await node.join(device: device) }
                try await eventually {
                    (try? String(contentsOfFile: file, encoding: .utf8))?.contains(#""number":20"#) ?? false
                }
                try await node.forget(through: 5)
            }
            try await withGateway(on: server, keys: keys, tick: nil, checkpointFile: file) { node in
                try await node.sees { $0.lastNumber == 5 && !$0.isDegraded }
                #expect(try await node.join(device: 100).body.place.number > 20)
            }
        }
    }

    @Test func `places survive a restart of the gateway`() async throws {
        try await withTemporaryRedis { server in
            let keys = try ephemeralKeys()
            let places: [JoinReply] = try await withGateway(on: server, keys: keys, tick: nil) { node in
                try await node.open(try GatewayNode.policy())
                return try await (0..<5).asyncMap { try await node.join(device: $0).body }
            }
            try await withGateway(on: server, keys: keys) { node in
                for place in places {
                    let polled = try await node.place(place.token)
                    #expect(polled.place.number == place.place.number)
                }
                #expect(try await node.join(device: 3).body.place.number == 4)
                #expect(try await node.claimInTheEnd(places[4].token).status == 200)
            }
        }
    }

    @Test func `a store that forgets the rooms opens none of them`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy())
                _ = try await node.redis.call(["FLUSHALL"])
                try await node.sees { $0.isDegraded }
                #expect(try await node.verdict([:]) == .refused(.passRequired))
            }
        }
    }

    @Test func `a poll asks no store`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy())
                let place = try await node.join(device: 1).body.token
                await server.pause()
                // Nothing answers there now, and a thousand polls are answered.
                for _ in 0..<1000 { #expect(try await node.place(place).place.number == 1) }
                await server.resume()
            }
        }
    }
}

extension GatewayNode {
    /// As after a crash of the store with its last writes lost.
    fileprivate func forget(through number: Int) async throws {
        _ = try await redis.call(["HSET", "{r:sale}:meta", "number", .integer(number)])
        _ = try await redis.call(["DEL", "{r:sale}:tags"])
    }
}
