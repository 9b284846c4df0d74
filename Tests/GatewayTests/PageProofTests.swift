// The waiting page's check of a place, run outside of a browser (Node has the same WebCrypto) against the gateway's own
// trees and notes.
import Fairness
import Foundation
import Signing
import Testing

struct PageProofTests {
    private static let root = URL(fileURLWithPath: #filePath).appendingPathComponent("../../..").standardizedFileURL
        .path
    private static let count = 700

    /// A room's log of 700 places, and what the gateway says of it.
    private struct Log {
        let key: Ed25519.PrivateKey
        let entries: [[UInt8]]
        let leaves: [Digest]
        let tree: MerkleTree

        init(count: Int = PageProofTests.count) throws {
            key = try Ed25519.PrivateKey()
            entries = (0..<count).map { index in
                let tag = Array(repeating: UInt8(truncatingIfNeeded: index), count: 15) + [UInt8(index >> 8)]
                return ArrivalEntry(dedupeTag: tag, milliseconds: 1_770_000_000_000 + Int64(index))?.bytes ?? []
            }
            leaves = entries.map { MerkleTree.leaf($0) }
            var tree = MerkleTree()
            for leaf in leaves { tree.append(leaf: leaf) }
            self.tree = tree
        }

        private func source(_ range: Range<Int>) -> [Digest] { Array(leaves[range]) }

        func note(_ size: Int, room: String = "sale", by other: Ed25519.PrivateKey? = nil) throws -> String {
            let found = tree.root(at: size, leaves: source)
            let root = try #require(found)
            return Checkpoint(room: room, generation: 1, size: size, root: root, milliseconds: 1_770_000_001_000)
                .signed(by: other ?? key).note
        }

        func keySet() -> [String: Any] {
            let x = Base64URL.encode(key.publicKey.bytes)
            return ["keys": [["kty": "OKP", "crv": "Ed25519", "x": x, "kid": "log-1", "use": "sig"]]]
        }

        func place(_ index: Int, at size: Int) throws -> [String: Any] {
            let found = tree.inclusionPath(of: index, at: size, leaves: source)
            let path = try #require(found)
            let entry = Data(entries[index]).base64EncodedString()
            return [
                "kind": "place", "room": "sale", "keySet": keySet(),
                "receipt": ["index": index, "arrived_at_ms": 1_770_000_000_000 + index, "entry": entry],
                "proof": [
                    "index": index, "size": size, "entry": entry, "path": path.map { Hex.encode($0.bytes) },
                    "checkpoint": try note(size),
                ],
            ]
        }

        func growth(_ from: Int, _ to: Int) throws -> [String: Any] {
            let found = tree.consistencyPath(from: from, to: to, leaves: source)
            let path = try #require(found)
            return [
                "kind": "growth", "earlier": try note(from), "later": try note(to),
                "path": path.map { Hex.encode($0.bytes) },
            ]
        }
    }

    @Test func `every tree of up to 33 entries is checked as RFC 6962 defines it`() throws {
        let told = try Self.node(input: Data())
        #expect(told.hasPrefix("ok "), "\(told)")
    }

    @Test func `the page agrees with the gateway about places and about growth`() throws {
        let log = try Log()
        var cases: [[String: Any]] = []
        var expected: [String] = []
        for (index, size) in [
            (0, 1), (0, 2), (6, 7), (255, 256), (256, 257), (299, 300), (0, 700), (511, 700), (699, 700),
        ] {
            cases.append(try log.place(index, at: size))
            expected.append("entry \(index) of \(size), signature good")
        }
        for (from, to) in [(1, 1), (1, 2), (3, 7), (256, 257), (255, 700), (512, 700), (699, 700), (700, 700)] {
            cases.append(try log.growth(from, to))
            expected.append("\(from) to \(to)")
        }
        #expect(try Self.verdicts(cases) == expected)
    }

    @Test func `the page finds whatever was changed, and says what`() throws {
        let (log, other) = (try Log(), try Log(count: 600))
        let good = try log.place(300, at: 700)
        var cases: [[String: Any]] = []
        var expected: [String] = []
        func add(_ verdict: String, _ test: [String: Any]) {
            cases.append(test)
            expected.append(verdict)
        }
        func changed(_ part: String, _ member: String, _ value: Any) -> [String: Any] {
            var test = good
            var inner = test[part] as? [String: Any] ?? [:]
            inner[member] = value
            test[part] = inner
            return test
        }
        let foreign = Data(log.entries[301]).base64EncodedString()
        let noPath = "flaw: the path does not lead to the root of the checkpoint"
        add("flaw: the list has another entry than the receipt", changed("receipt", "entry", foreign))
        add("flaw: the list has another entry than the receipt", changed("proof", "entry", foreign))
        add("flaw: the receipt has not 24 bytes", changed("receipt", "entry", "AAAA"))
        add("flaw: the proof is of another place", changed("proof", "index", 301))
        add("flaw: the proof is for another checkpoint", changed("proof", "size", 699))
        add("flaw: the path is too short", changed("proof", "path", [String]()))
        add("flaw: a hash is not hex", changed("proof", "path", ["zz"]))
        add(noPath, changed("proof", "checkpoint", try Self.noteOfAnotherTree(log)))
        add("flaw: the checkpoint is of another room", changed("proof", "checkpoint", try log.note(700, room: "other")))
        let forger = try Ed25519.PrivateKey()
        let forged = try log.note(700, by: forger)
        add("entry 300 of 700, signature unknown-key", changed("proof", "checkpoint", forged))
        let later = try log.note(700).replacing("time 1770000001000", with: "time 1770000001001")
        add("flaw: the signature of the checkpoint is wrong", changed("proof", "checkpoint", later))
        add("flaw: the checkpoint has no signature", changed("proof", "checkpoint", "usher/sale/1\n700\n"))
        var growth = try log.growth(300, 700)
        growth["earlier"] = try other.note(600)
        add("flaw: the list was changed behind a checkpoint", growth)
        growth = try log.growth(300, 700)
        growth["path"] = [String]()
        add("flaw: the list was changed behind a checkpoint", growth)
        (growth["earlier"], growth["later"]) = (try log.note(700), try log.note(300))
        add("flaw: the later checkpoint is smaller", growth)
        #expect(try Self.verdicts(cases) == expected)
    }

    /// Well signed, and with another root.
    private static func noteOfAnotherTree(_ log: Log) throws -> String {
        let root = try #require(Digest(SHA256.digest([1, 2, 3])))
        return Checkpoint(room: "sale", generation: 1, size: 700, root: root, milliseconds: 1).signed(by: log.key).note
    }

    private static func verdicts(_ cases: [[String: Any]]) throws -> [String] {
        let named = cases.enumerated().map { index, test in
            test.merging(["name": String(index)]) { first, _ in first }
        }
        let told = try node(input: JSONSerialization.data(withJSONObject: named))
        return told.split(separator: "\n").enumerated().map { index, line in
            String(line.dropFirst("\(index): ".count))
        }
    }

    private static func node(input: Data) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["node", "\(root)/Tests/Scripts/verify_page.mjs", "\(root)/Gateway/Pages/verify.js"]
        let (stdin, stdout) = (Pipe(), Pipe())
        process.standardInput = stdin
        process.standardOutput = stdout
        try process.run()
        if !input.isEmpty { try stdin.fileHandleForWriting.write(contentsOf: input) }
        try stdin.fileHandleForWriting.close()
        let told = stdout.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "node has failed, or there is none")
        return String(decoding: told, as: UTF8.self)
    }
}
