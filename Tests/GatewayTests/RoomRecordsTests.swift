// What proves a room's order outlives the store: a gateway keeps it and gives it back.
import EdgeHTTP
import Fairness
import Foundation
import Queueing
import Redis
import TestSupport
import Testing
import UsherAPI

@testable import GatewayServer

struct RoomRecordsTests {
    private struct Kept: Equatable {
        var bytes: [[UInt8]]
        var changes: [RoomStore.RecordedChange]
        var notes: [String]

        /// Each record by itself: what happened in one millisecond has no order of its own.
        func entries(_ index: Int) -> Set<[UInt8]> {
            let size = RoomRecords.kinds[index].entryBytes
            return Set(stride(from: 0, to: bytes[index].count, by: size).map { Array(bytes[index][$0..<($0 + size)]) })
        }

        /// Whether a later state has all of this one.
        func isKept(in later: Kept) -> Bool {
            bytes.indices.allSatisfy { entries($0).isSubset(of: later.entries($0)) }
                && later.notes.starts(with: notes) && changes.allSatisfy { later.changes.contains($0) }
        }
    }

    private func records(_ node: GatewayNode) async throws -> Kept {
        let name = try #require(RoomName("sale"))
        var bytes: [[UInt8]] = []
        for kind in RoomRecords.kinds {
            bytes.append(try await node.store.bytes(of: kind, name, from: 0, count: 1 << 20))
        }
        return Kept(
            bytes: bytes,
            changes: try await node.store.changes(name),
            notes: try await node.store.checkpoints(name)
        )
    }

    private func files(_ folder: LogFolder) -> [Int] {
        (RoomRecords.kinds.map(\.rawValue) + ["checkpoints", "changes"]).map { name in
            let bytes = FileManager.default.contents(atPath: "\(folder.path)/sale.1.\(name)") ?? Data()
            return name.hasPrefix("c") && name != "claims" ? bytes.count { $0 == UInt8(ascii: "\n") } : bytes.count
        }
    }

    @Test(arguments: RoomsLossTests.Loss.allCases)
    func `calls, passes, places left, changes and checkpoints come back to a store that forgot them`(
        loss: RoomsLossTests.Loss
    ) async throws {
        let folder = try LogFolder()
        defer { folder.remove() }
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                try await node.open(try GatewayNode.policy())
                try await withProof(node, in: folder) {
                    let length = try server.fileLength()
                    let places = try await node.joinTogether(devices: 0..<10)
                    let gone = try #require(places.last)
                    _ = try await node.send(.post, Path.room("sale", "leave"), ["Usher-Place": gone.token])
                    for place in places.prefix(3) {
                        #expect(try await node.claimInTheEnd(place.token).status == 200)
                    }
                    try await node.sees { $0.cursor == 10 }
                    try await node.change(try GatewayNode.policy(perMinute: 3000), version: 1)
                    _ = try await node.signed(10)
                    let before = try await records(node)
                    #expect(before.bytes.allSatisfy { !$0.isEmpty } && before.changes.count == 3)
                    let sizes = before.bytes.map(\.count) + [before.notes.count, before.changes.count]
                    try await eventually { files(folder) == sizes }

                    try await server.lose(loss, keeping: length, through: node)
                    try await node.sees { !$0.isDegraded && $0.epoch > 1 }
                    let after = try await records(node)
                    #expect(before.isKept(in: after), "\(before) \(after)")
                    #expect(after.changes.contains { $0.kind == "restore" })
                    // Whoever was in is in still, and is not let in a second time; whoever left has no place.
                    let again = try await node.claimInTheEnd(places[0].token)
                    #expect(again.status == 200)
                    let left = try await node.claim(gone.token)
                    #expect(left.status == 410)
                    #expect(try await records(node).entries(1) == before.entries(1))
                }
            }
        }
    }

    /// A gateway that knows of a cursor and of no move: the room's own record explains it all the same.
    @Test func `a cursor that comes back has a move that explains it`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy())
                _ = try await node.joinTogether(devices: 0..<10)
                try await node.call(upTo: 4)
                try await node.call(upTo: 9)
                try await node.sees { $0.cursor == 9 }
                let name = try #require(RoomName("sale"))
                let before = try await node.store.bytes(of: .moves, name, from: 0, count: 1 << 16)
                _ = try await node.redis.call(["FLUSHALL"])
                try await node.sees { !$0.isDegraded && $0.epoch == 2 }
                #expect(try await node.store.bytes(of: .moves, name, from: 0, count: 1 << 16) == before)
            }
        }
    }

    @Test func `lines of a file outlive a crash, and stay within their bound`() throws {
        let folder = try LogFolder()
        defer { folder.remove() }
        let path = folder.path + "/texts"
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        var file = try TextFile(path: path)
        try file.append(["one\ntwo", "three"], max: 10)
        #expect(try TextFile(path: path).texts == ["one\ntwo", "three"])
        // A line that a crash cut off.
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("\"fo".utf8))
        try handle.close()
        var again = try TextFile(path: path)
        #expect(again.texts == ["one\ntwo", "three"])
        try again.append(["four"], max: 10)
        #expect(try TextFile(path: path).texts == ["one\ntwo", "three", "four"])
        try again.append((0..<20).map { "\($0)" }, max: 10)
        #expect(try TextFile(path: path).texts == (11..<20).map { "\($0)" })
    }
}
