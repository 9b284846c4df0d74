// The arrival log of a running room: signed, proved, and held when it is not what was signed.
import EdgeHTTP
import Fairness
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

struct LogKeeperTests {
    @Test func `anybody can check that a place is in the signed log, and that the log only grew`() async throws {
        let folder = try LogFolder()
        defer { folder.remove() }
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                try await node.open(try GatewayNode.policy())
                try await withProof(node, in: folder) {
                    for device in 0..<9 { _ = try await node.join(device: device) }
                    let early = try await node.signed(9)
                    for device in 9..<21 { _ = try await node.join(device: device) }
                    let late = try await node.signed(21)

                    let token = try await node.join(device: 3).body.token
                    let shown = try await node.send(.get, Path.room("sale", "receipt"), ["Usher-Place": token])
                    let receipt = try shown.decoded(Receipt.self)
                    #expect(receipt.index == 3)
                    #expect(receipt.entry == Data(try node.log().entries(3..<4)).base64EncodedString())
                    #expect(try await node.send(.get, Path.room("sale", "receipt")).status == 401)

                    let reply = try await node.send(.get, Path.room("sale", "log/checkpoint"))
                    #expect(String(buffer: reply.body) == late.note)
                    let keys = try JWKS.decode(node.keys.jwks).keys.filter { $0.name == .log }.map(\.publicKey)
                    #expect(late.isSigned(byOneOf: keys) && early.isSigned(byOneOf: keys))
                    for size in 1...21 {
                        let root = try #require(try node.log().root(at: size))
                        for number in 1...size {
                            let proof = try await node.get(
                                InclusionReply.self,
                                "log/proof?number=\(number)&size=\(size)"
                            )
                            let entry = try #require(
                                Data(base64Encoded: proof.entry).flatMap { ArrivalEntry(bytes: Array($0)) }
                            )
                            let tag = try await node.tag(ofDevice: number - 1)
                            #expect(entry.dedupeTag == tag)
                            let path = try proof.path.map { try #require(Hex.decode($0).flatMap { Digest($0) }) }
                            let isIn = MerkleProof.includes(
                                leaf: entry.leaf,
                                index: proof.index,
                                size: proof.size,
                                path: path,
                                root: root
                            )
                            #expect(isIn && proof.index == number - 1 && proof.size == size)
                        }
                    }
                    let grown = try await node.get(ConsistencyReply.self, "log/consistency?from=9")
                    let path = try grown.path.map { try #require(Hex.decode($0).flatMap { Digest($0) }) }
                    let grows = MerkleProof.connects(
                        9,
                        early.checkpoint.root,
                        with: grown.to,
                        late.checkpoint.root,
                        path: path
                    )
                    #expect(grows && grown.to == 21)
                    let notes = try await node.store.checkpoints(try #require(RoomName("sale")))
                        .compactMap { SignedCheckpoint(note: $0)?.checkpoint }
                    let pauses = zip(notes, notes.dropFirst()).map { $1.milliseconds - $0.milliseconds }
                    #expect(pauses.allSatisfy { $0 >= 900 })
                }
            }
        }
    }

    @Test(arguments: [
        ("log/proof", 400), ("log/proof?number=0", 400), ("log/proof?number=1&size=9", 400),
        ("log/proof?number=3&size=2", 404), ("log/proof?number=99", 404), ("log/proof?number=1&size=0", 400),
        ("log/proof?place=1", 400), ("log/consistency", 400), ("log/consistency?from=0", 400),
        ("log/consistency?from=3&to=2", 400), ("log/consistency?from=1&to=9", 400), ("log/checkpoint?a=1", 400),
        ("log/none", 404), ("audit/none", 404), ("audit/log?from=1", 400), ("audit/log?from=24&from=24", 400),
        ("audit?all=1", 400), ("draw", 404),
    ])
    func `what cannot be proved is refused`(_ action: String, _ status: Int) async throws {
        let folder = try LogFolder()
        defer { folder.remove() }
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                try await node.open(try GatewayNode.policy())
                try await withProof(node, in: folder) {
                    for device in 0..<3 { _ = try await node.join(device: device) }
                    _ = try await node.signed(3)
                    #expect(try await node.send(.get, Path.room("sale", action)).status == status)
                    #expect(try await node.send(.get, Path.room("other", action)).status == 404)
                    #expect(try await node.send(.post, Path.room("sale", "log/checkpoint")).status == 405)
                }
            }
        }
    }

    @Test func `what is not what was signed is never signed, and the readiness page says so`() async throws {
        let folder = try LogFolder()
        defer { folder.remove() }
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                try await node.open(try GatewayNode.policy())
                try await withProof(node, in: folder) {
                    for device in 0..<5 { _ = try await node.join(device: device) }
                    _ = try await node.signed(5)
                }
                // Somebody changes the second arrival, in the file and in the store.
                let forged = try #require(ArrivalEntry(dedupeTag: SecureRandom.bytes(16), milliseconds: 1)).bytes
                let file = try #require(
                    FileManager.default.subpaths(atPath: folder.path)?.first { $0.hasSuffix(".log") }
                )
                let handle = try #require(FileHandle(forWritingAtPath: "\(folder.path)/\(file)"))
                try handle.seek(toOffset: 24)
                try handle.write(contentsOf: forged)
                try handle.close()
                _ = try await node.redis.call(["SETRANGE", "{r:sale}:log", "24", .bytes(forged)])
                try await withProof(node, in: folder) {
                    try await eventually { node.logs.fault != nil }
                    _ = try await node.join(device: 9)
                    try await eventually { try node.log().count == 6 }
                    try await eventually { node.metric(#"usher_gateway_room_log_fault{room="sale"}"#) == 1 }
                    let notes = try await node.store.checkpoints(try #require(RoomName("sale")))
                    #expect(notes.compactMap { SignedCheckpoint(note: $0)?.checkpoint.size }.max() == 5)
                }
            }
        }
    }

    @Test func `after the store forgot arrivals the log waits, keeps them, and goes on behind them`() async throws {
        let folder = try LogFolder()
        defer { folder.remove() }
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                try await node.open(try GatewayNode.policy())
                try await withProof(node, in: folder) {
                    for device in 0..<8 { _ = try await node.join(device: device) }
                    let before = try await node.signed(8)
                    let entries = try node.log().entries(0..<8)
                    // As after a cut tail of its file: the last five are gone.
                    let kept = RedisArgument.bytes(Array(entries.prefix(3 * 24)))
                    _ = try await node.redis.pipeline([
                        ["SET", "{r:sale}:log", kept],
                        ["HSET", "{r:sale}:meta", "number", "3", "checkpoint_size", "3"],
                    ])
                    try await eventually {
                        if case .storeForgot = try node.log().hold { return true }
                        return try node.log().hold == nil && node.snapshot.lastNumber >= 8
                    }
                    #expect(node.logs.fault == nil)
                    // The next join brings the room beyond every number that was ever given.
                    let next = try await node.join(device: 50).body.place.number
                    #expect(next > 8)
                    let after = try await node.signed(Int(next))
                    #expect(try node.log().hold == nil)
                    #expect(try node.log().entries(0..<8) == entries)
                    let path = try #require(try node.log().consistencyPath(from: 8, to: after.checkpoint.size))
                    let grows = MerkleProof.connects(
                        8,
                        before.checkpoint.root,
                        with: after.checkpoint.size,
                        after.checkpoint.root,
                        path: path
                    )
                    #expect(grows)
                }
            }
        }
    }

    @Test func `a bundle's header counts no more than its sections hold`() async throws {
        let folder = try LogFolder()
        defer { folder.remove() }
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                try await node.open(try GatewayNode.policy())
                try await withProof(node, in: folder) {
                    for device in 0..<5 { _ = try await node.join(device: device) }
                    let pass = try await node.claimInTheEnd(try await node.join(device: 0).body.token)
                    #expect(pass.status == 200)
                    _ = try await node.signed(5)
                    let reply = try await node.send(.get, Path.room("sale", "audit"))
                    let header = try #require(
                        try JSONSerialization.jsonObject(with: Data(reply.body.readableBytesView)) as? [String: Any]
                    )
                    #expect(header["format"] as? String == "usher-bundle/1")
                    #expect(header["secret"] == nil || header["secret"] is NSNull)
                    let sections = try #require(header["sections"] as? [[String: Any]])
                    for section in sections {
                        let name = try #require(section["name"] as? String)
                        let bytes = try #require(section["bytes"] as? Int)
                        let part = try await node.send(.get, Path.room("sale", "audit/\(name)"))
                        #expect(part.status == 200 && part.body.readableBytes >= bytes)
                        if name == "log" { #expect(bytes == 5 * 24) }
                        if name == "claims" { #expect(bytes == 16) }
                        if name == "moves" { #expect(bytes >= 16) }
                    }
                }
            }
        }
    }
}
