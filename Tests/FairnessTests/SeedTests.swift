// Commitments, seeds and entries: exact bytes, and that no two inputs share them.
import Fairness
import Signing
import Testing

private let secret = [UInt8](repeating: 7, count: 32)

struct SeedTests {
    /// Written out by hand from docs/fairness.md.
    @Test func `a commitment hashes the bytes the page says`() {
        let message = Array("usher/commit/v1".utf8) + [5] + Array("arena".utf8) + [0, 0, 0, 0, 0, 0, 0, 2] + secret
        #expect(Commitment.of(room: "arena", generation: 2, secret: secret).bytes == SHA256.digest(message))
    }

    @Test func `a tie seed authenticates the bytes the page says`() {
        let message =
            Array("usher/tie/v1".utf8) + [5] + Array("arena".utf8) + [0, 0, 0, 0, 0, 0, 1, 0] + [
                0, 0, 0, 0, 0, 0, 0, 3,
            ]
        let seed = TieBreak.seed(secret: secret, room: "arena", first: 256, count: 3)
        #expect(seed.bytes == HMACSHA256.code(for: message, key: secret))
    }

    @Test(arguments: DrawSeed.Kind.allCases)
    func `a draw seed hashes the bytes the page says`(kind: DrawSeed.Kind) {
        let root = Digest.of([9])
        let message =
            Array("usher/draw/v1".utf8) + [5] + Array("arena".utf8) + [0, 0, 0, 0, 0, 0, 0, 1] + root.bytes
            + [0, 0, 0, 0, 0, 0, 1, 1] + [kind.rawValue] + secret
        let seed = DrawSeed.of(room: "arena", generation: 1, root: root, count: 257, kind: kind, value: secret)
        #expect(seed.bytes == SHA256.digest(message))
    }

    /// Attack 5: characters moved between neighbouring fields must not give the same bytes.
    @Test func `attack 5: no two inputs share a commitment, a tie seed or a draw seed`() {
        var seen: Set<Digest> = []
        var made = 0
        func take(_ digest: Digest) {
            seen.insert(digest)
            made += 1
        }
        let root = Digest.of([9])
        // A room's name may end in what could be read as the next field, or start with what ends the one before.
        for room in ["a", "aa", "a0", "a00", "0a", "1", "11", "-", "a-", "usher", "arena", "arena1", "1arena"] {
            for number in [0, 1, 2, 11, 256, 257, 65_536, 0x6100_0000] {
                take(Commitment.of(room: room, generation: number, secret: secret))
                for other in [0, 1, 2, 11, 256] {
                    take(TieBreak.seed(secret: secret, room: room, first: UInt64(number), count: UInt64(other)))
                    for kind in DrawSeed.Kind.allCases {
                        take(
                            DrawSeed.of(
                                room: room,
                                generation: number,
                                root: root,
                                count: UInt64(other),
                                kind: kind,
                                value: secret
                            )
                        )
                    }
                }
            }
        }
        #expect(seen.count == made)
        #expect(made > 1500)
    }

    /// Attack 6: a key in front of, or behind, a plain hash is no authentication.
    @Test func `attack 6: a tie seed is an HMAC, not a hash with the secret before or after`() {
        let message =
            Array("usher/tie/v1".utf8) + [1] + Array("a".utf8) + [0, 0, 0, 0, 0, 0, 0, 1] + [0, 0, 0, 0, 0, 0, 0, 2]
        let seed = TieBreak.seed(secret: secret, room: "a", first: 1, count: 2)
        #expect(seed.bytes == HMACSHA256.code(for: message, key: secret))
        #expect(seed.bytes != SHA256.digest(secret + message))
        #expect(seed.bytes != SHA256.digest(message + secret))
    }
}

struct ArrivalEntryTests {
    private let tag = (1...16).map { UInt8($0) }

    @Test func `an entry is the tag, then the time in eight bytes`() throws {
        let entry = try #require(ArrivalEntry(dedupeTag: tag, milliseconds: 0x0102_0304))
        #expect(entry.bytes == tag + [0, 0, 0, 0, 1, 2, 3, 4])
        #expect(entry.dedupeTag == tag)
        #expect(ArrivalEntry(bytes: entry.bytes) == entry)
        #expect(entry.leaf.bytes == SHA256.digest([0] + entry.bytes))
        #expect(!entry.isVoid)
        #expect(ArrivalEntry.all(in: entry.bytes + ArrivalEntry.void.bytes + [1, 2, 3]) == [entry, .void])
    }

    @Test func `only 24 zero bytes are void`() {
        #expect(ArrivalEntry(bytes: [UInt8](repeating: 0, count: 24))?.isVoid == true)
        #expect(ArrivalEntry.void.bytes == [UInt8](repeating: 0, count: 24))
        #expect(ArrivalEntry(dedupeTag: [UInt8](repeating: 0, count: 16), milliseconds: 1)?.isVoid == false)
    }

    @Test(arguments: [0, 15, 17, 24])
    func `attack 5: a tag of another length is refused`(length: Int) {
        #expect(ArrivalEntry(dedupeTag: [UInt8](repeating: 1, count: length), milliseconds: 0) == nil)
        #expect(ArrivalEntry(bytes: [UInt8](repeating: 1, count: length == 24 ? 25 : length)) == nil)
    }

    @Test func `many leaves are those of each`() throws {
        let entries = try (0..<300).map { try #require(ArrivalEntry(dedupeTag: tag, milliseconds: $0)) }
        #expect(ArrivalEntry.leaves(of: entries.flatMap(\.bytes)) == entries.map(\.leaf))
        var tree = MerkleTree()
        tree.append(entries: entries.flatMap(\.bytes))
        var one = MerkleTree()
        for entry in entries { one.append(leaf: entry.leaf) }
        #expect(tree.root == one.root)
        #expect(tree.count == 300)
    }
}
