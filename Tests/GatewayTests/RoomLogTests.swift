import Fairness
import Foundation
import QueueTokens
import Queueing
import Signing
import Testing

@testable import GatewayServer

/// A folder for the logs of one test.
struct LogFolder {
    let path = "/tmp/usher-log-\(UInt32.random(in: 0 ... .max))"

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}

struct RoomLogTests {
    private let room: RoomName
    private let key: Ed25519.PrivateKey

    init() throws {
        room = try #require(RoomName("sale"))
        key = try Ed25519.PrivateKey()
    }

    private static func entries(_ numbers: Range<Int>) -> [UInt8] {
        numbers.flatMap { number in
            ArrivalEntry(
                dedupeTag: Array(SHA256.digest([UInt8](String(number).utf8)).prefix(16)),
                milliseconds: Int64(number)
            )?.bytes ?? []
        }
    }

    private func open(_ folder: LogFolder) throws -> RoomLog {
        try RoomLog(folder: folder.path, room: room, generation: 7, keys: [key.publicKey])
    }

    private func signed(_ log: RoomLog, size: Int, generation: Int = 7, root: Digest? = nil) throws -> SignedCheckpoint
    {
        let known = try log.root(at: min(size, log.count))
        return Checkpoint(
            room: "sale",
            generation: generation,
            size: size,
            root: try #require(root ?? known),
            milliseconds: 1
        ).signed(by: key)
    }

    @Test func `every place of every size is proved against the root of that size`() throws {
        let folder = try LogFolder()
        defer { folder.remove() }
        let log = try open(folder)
        var roots: [Digest] = [MerkleTree.emptyRoot]
        // More than two tiles, one entry at a time.
        for index in 0..<600 {
            try log.append(Self.entries(index..<(index + 1)))
            roots.append(try #require(try log.root(at: index + 1)))
        }
        for size in [1, 2, 3, 7, 8, 255, 256, 257, 511, 512, 513, 600] {
            #expect(try log.root(at: size) == roots[size])
            for index in [0, 1, size / 2, size - 2, size - 1] where (0..<size).contains(index) {
                let path = try #require(try log.inclusionPath(of: index, at: size))
                let entry = try #require(ArrivalEntry(bytes: try log.entries(index..<(index + 1))))
                let isIn = MerkleProof.includes(
                    leaf: entry.leaf,
                    index: index,
                    size: size,
                    path: path,
                    root: roots[size]
                )
                #expect(isIn)
            }
            for earlier in [1, size / 2, size - 1, size] where (1...size).contains(earlier) {
                let path = try #require(try log.consistencyPath(from: earlier, to: size))
                let grows = MerkleProof.connects(earlier, roots[earlier], with: size, roots[size], path: path)
                #expect(grows)
            }
        }
    }

    @Test func `a log goes on where it was after a restart, without what a crash tore`() throws {
        let folder = try LogFolder()
        defer { folder.remove() }
        var root: Digest?
        do {
            let log = try open(folder)
            try log.append(Self.entries(0..<300))
            try log.accept(try signed(log, size: 300))
            root = try log.root(at: 300)
        }
        let path = folder.path + "/sale.7.log"
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: [1, 2, 3])
        try handle.close()
        let log = try open(folder)
        #expect(log.count == 300)
        #expect(try log.root(at: 300) == root)
        #expect(log.signedSize == 300)
        #expect(log.hold == nil)
        try log.append(Self.entries(300..<301))
        #expect(try log.entries(300..<301) == Self.entries(300..<301))
    }

    @Test func `two processes never keep one log`() throws {
        let folder = try LogFolder()
        defer { folder.remove() }
        let log = try open(folder)
        #expect(throws: ArrivalFile.Fault.self) { _ = try open(folder) }
        #expect(log.count == 0)
    }

    @Test func `what was signed and is not here holds the log`() throws {
        let folder = try LogFolder()
        defer { folder.remove() }
        let log = try open(folder)
        try log.append(Self.entries(0..<10))
        #expect(try log.accept(try signed(log, size: 11)) == false)
        #expect(log.hold == nil && log.signedSize == 0)
        try log.accept(try signed(log, size: 5))
        #expect(log.signedSize == 5)
        // Smaller ones are compared and not kept.
        try log.accept(try signed(log, size: 4))
        #expect(log.signedSize == 5 && log.hold == nil)
        try log.accept(try signed(log, size: 8, root: MerkleTree.emptyRoot))
        #expect(log.signedSize == 5)
        #expect(log.hold?.isFault == true)
        log.hold(nil)
        try log.accept(try signed(log, size: 8, generation: 8))
        #expect(log.hold?.isFault == true)
    }

    @Test func `a changed file is found out at the next start`() throws {
        let folder = try LogFolder()
        defer { folder.remove() }
        do {
            let log = try open(folder)
            try log.append(Self.entries(0..<10))
            try log.accept(try signed(log, size: 10))
            try log.overwrite(Self.entries(50..<51), at: 3)
        }
        #expect(try open(folder).hold?.isFault == true)
    }

    @Test(
        arguments: [
            // ours, theirs (0 stands for nobody's), signed → kept, lost, conflict
            ([1, 2, 3], [1, 2, 3], 0, [1, 2, 3], 0, nil), ([1, 2, 3], [1, 2], 0, [1, 2, 3], 1, nil),
            ([1, 2, 3], [1, 0, 0], 3, [1, 2, 3], 2, nil), ([1, 0, 3], [1, 2, 3], 1, [1, 2, 3], 0, nil),
            ([1, 0, 3], [1, 2, 3], 2, [1, 0, 3], 0, nil), ([1, 2, 3], [1, 9, 3], 1, [1, 9, 3], 0, nil),
            ([1, 2, 3], [1, 9, 3], 2, [1, 2, 3], 0, 11), ([], [], 0, [], 0, nil),
        ] as [([Int], [Int], Int, [Int], Int, Int?)]
    )
    func `after a loss what was signed stays, and an entry stands over none`(
        _ ours: [Int],
        _ theirs: [Int],
        _ signed: Int,
        _ kept: [Int],
        _ lost: Int,
        _ conflict: Int?
    ) {
        func bytes(_ marks: [Int]) -> [UInt8] {
            marks.flatMap { $0 == 0 ? [UInt8](repeating: 0, count: 24) : Self.entries($0..<($0 + 1)) }
        }
        let merge = LogMerge(ours: bytes(ours), theirs: bytes(theirs), first: 10, signed: 10 + signed)
        #expect(merge.entries == bytes(kept))
        #expect(merge.isChanged == (kept != ours))
        #expect(merge.lost == lost)
        #expect(merge.conflict == conflict)
    }

    @Test(
        arguments: [
            ([], 0, 5, [[0, 5]]), ([(2, 3)], 0, 9, [[0, 9]]), ([(2, 3), (5, 6)], 0, 12, [[0, 4], [4, 12]]),
            ([(1, 20), (22, 2)], 0, 30, [[0, 20], [20, 30]]), ([(2, 3), (6, 3), (9, 3)], 1, 11, [[1, 8], [8, 11]]),
        ] as [([(UInt64, UInt64)], UInt64, UInt64, [[UInt64]])]
    )
    func `tie windows go in pieces without a gap, none of them cut`(
        _ ties: [(UInt64, UInt64)],
        _ from: UInt64,
        _ through: UInt64,
        _ pieces: [[UInt64]]
    ) {
        let all = ties.map { OrderRecord.Tie(first: $0.0, count: $0.1) }
        let made = TiePieces(all, from: from, through: through, numbersMax: 6).pieces
        #expect(made.map { [$0.from, $0.through] } == pieces)
        #expect(made.flatMap(\.ties) == all)
    }

    @Test(
        arguments: [
            ("number=1&size=2", ["number": 1, "size": 2]), (nil, [:]), ("", [:]), ("number=", nil), ("number", nil),
            ("number=1&number=1", nil), ("number=-1", nil), ("number=+1", nil), ("number=1&other=2", nil),
            ("number=1234567890123456", nil), ("number=1&", nil), ("number=%31", nil), ("number=00", ["number": 0]),
        ] as [(String?, [String: Int]?)]
    )
    func `parameters are whole numbers, each once, and no others`(_ query: String?, _ wanted: [String: Int]?) {
        let numbers = try? QueryNumbers(query.map { $0[...] }, allowed: ["number", "size"])
        #expect((numbers == nil) == (wanted == nil))
        for name in ["number", "size"] { #expect(numbers?[name] == wanted?[name]) }
    }
}
