import Fairness
import Signing
import Testing

struct CheckpointTests {
    private let checkpoint = Checkpoint(
        room: "arena-2026",
        generation: 3,
        size: 123_456,
        root: Digest.of(Array("root".utf8)),
        milliseconds: 1_790_000_000_123
    )

    private func key(_ byte: UInt8) throws -> Ed25519.PrivateKey {
        try Ed25519.PrivateKey(seed: [UInt8](repeating: byte, count: 32))
    }

    @Test func `a note has the lines of C2SP's checkpoint`() throws {
        let note = checkpoint.signed(by: try key(1)).note
        let lines = note.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 7)
        #expect(lines[0] == "usher/arena-2026/3")
        #expect(lines[1] == "123456")
        #expect(lines[2] == "SBNJTRN+FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7I=")
        #expect(lines[3] == "time 1790000000123")
        #expect(lines[4].isEmpty)
        #expect(lines[5].hasPrefix("— usher-log "))
        #expect(lines[6].isEmpty)
    }

    @Test func `a key is named by its hash with name and algorithm`() throws {
        let key = try key(1).publicKey
        let message = Array("usher-log\n".utf8) + [1] + key.bytes
        #expect(Checkpoint.keyHash(of: key) == Array(SHA256.digest(message).prefix(4)))
    }

    @Test func `a note reads back and holds for its key alone`() throws {
        let note = checkpoint.signed(by: try key(1)).note
        let read = try #require(SignedCheckpoint(note: note))
        #expect(read.checkpoint == checkpoint)
        #expect(read.note == note)
        #expect(read.isSigned(by: try key(1).publicKey))
        #expect(!read.isSigned(by: try key(2).publicKey))
        #expect(read.isSigned(byOneOf: [try key(2).publicKey, try key(1).publicKey]))
    }

    @Test(arguments: [
        ("123456", "123457"), ("usher/arena-2026/3", "usher/arena-2027/3"),
        ("usher/arena-2026/3", "usher/arena-2026/4"),
        ("time 1790000000123", "time 1790000000124"),
    ])
    func `a changed line breaks the signature`(was: String, becomes: String) throws {
        let note = checkpoint.signed(by: try key(1)).note
        let changed = try #require(SignedCheckpoint(note: note.replacing(was, with: becomes)))
        #expect(changed.checkpoint != checkpoint)
        #expect(!changed.isSigned(by: try key(1).publicKey))
    }

    /// Attack 5: nothing may be read in two ways.
    @Test(arguments: [
        ("123456", "0123456"), ("123456", "+123456"), ("123456", "-1"), ("123456", " 123456"), ("time ", "time  "),
        ("time ", "TIME "), ("\n\n", "\n\n\n"), ("\n\n", "\nextra\n\n"), ("usher-log", "usher-log2"),
        ("usher/", "other/"),
        ("/3\n", "/03\n"), ("/3\n", "/3\r\n"), ("=\n", "\n"), ("\u{2014} ", "- "),
    ])
    func `attack 5: a note in any other spelling is none`(was: String, becomes: String) throws {
        let note = checkpoint.signed(by: try key(1)).note
        let changed = note.replacing(was, with: becomes)
        #expect(changed != note)
        #expect(SignedCheckpoint(note: changed) == nil)
    }

    @Test func `attack 5: a note with more signatures, or cut short, is none`() throws {
        let note = checkpoint.signed(by: try key(1)).note
        let second = String(note.split(separator: "\n").last ?? "")
        #expect(SignedCheckpoint(note: note + second + "\n") == nil)
        #expect(SignedCheckpoint(note: String(note.dropLast())) == nil)
        #expect(SignedCheckpoint(note: note + String(repeating: " ", count: 2000)) == nil)
        #expect(SignedCheckpoint(note: "") == nil)
    }
}
