// SHA-256, HMAC, BLAKE2b and Argon2id against published answers.
import Signing
import Testing

struct HashTests {
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (String(repeating: "a", count: 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ])
    func `SHA-256 gives NIST's answers`(message: String, digest: String) {
        #expect(Hex.encode(SHA256.digest(Array(message.utf8))) == digest)
    }

    /// RFC 4231, cases 1, 2, 3, 6.
    @Test(arguments: [
        (
            String(repeating: "0b", count: 20), "4869205468657265",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            String(repeating: "aa", count: 20), String(repeating: "dd", count: 50),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
        ),
        (
            String(repeating: "aa", count: 131),
            "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6579204669727374",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
    ])
    func `HMAC-SHA-256 gives RFC 4231's answers`(key: String, message: String, code: String) throws {
        let (key, message) = (try bytes(key), try bytes(message))
        #expect(Hex.encode(HMACSHA256.code(for: message, key: key)) == code)
        #expect(HMACSHA256.isValid(try bytes(code), for: message, key: key))
        #expect(!HMACSHA256.isValid(flipping(255, of: try bytes(code)), for: message, key: key))
        #expect(!HMACSHA256.isValid(Array(try bytes(code).dropLast()), for: message, key: key))
    }

    @Test func `HMAC takes an empty key as such`() {
        let empty = HMACSHA256.code(for: [], key: [])
        #expect(Hex.encode(empty) == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
        _ = HMACSHA256.code(for: [], key: [1, 2, 3])
        #expect(HMACSHA256.code(for: [], key: []) == empty)
    }

    /// The reference implementation's known answers (blake2-kat, keyed, 64-byte output), and Python's hashlib for others.
    @Test(arguments: [
        (
            64, 0,
            "10ebb67700b1868efb4417987acf4690ae9d972fb7a590c2f02871799aaa4786"
                + "b5e996e8f0f4eb981fc214b005f42d2ff4233499391653df7aefcbc13fc51568"
        ),
        (
            64, 255,
            "142709d62e28fcccd0af97fad0f8465b971e82201dc51070faa0372aa43e9248"
                + "4be1c1e73ba10906d5d1853db6a4106e0a7bf9800d373d6dee2d46d62ef2a461"
        ),
    ])
    func `keyed BLAKE2b gives the reference answers`(keyLength: Int, messageLength: Int, tag: String) throws {
        let seal = try KeyedBLAKE2b(key: (0..<keyLength).map { UInt8($0) })
        #expect(Hex.encode(seal.tag(of: (0..<messageLength).map { UInt8($0) }, length: 64)) == tag)
    }

    @Test func `BLAKE2b of another length is another value`() throws {
        let short = try KeyedBLAKE2b(key: (0..<16).map { UInt8($0) })
        #expect(Hex.encode(short.tag(of: Array("usher".utf8), length: 16)) == "709575212d92a79a79b4b3c63f731a82")
        let long = try KeyedBLAKE2b(key: (0..<32).map { UInt8($0) })
        let expected = "d63a32d3e44738d7907f964316c241adaba0abfeabc32349677578a15a203f7f"
        #expect(Hex.encode(long.tag(of: Array("abc".utf8))) == expected)
    }

    @Test func `a cut tag is compared with the start of the whole one`() throws {
        let seal = try KeyedBLAKE2b(key: (0..<32).map { UInt8($0) })
        let message = Array("abc".utf8)
        let whole = seal.tag(of: message)
        func starts(_ tag: [UInt8]) -> Bool {
            message.withUnsafeBytes { message in tag.withUnsafeBytes { seal.startsTag(of: message, with: $0) } }
        }
        #expect(starts(Array(whole.prefix(16))) && starts(whole))
        #expect(!starts(Array(whole.prefix(15))) && !starts([]) && !starts(whole + [0]))
        for bit in 0..<128 { #expect(!starts(flipping(bit, of: Array(whole.prefix(16))))) }
    }

    @Test(arguments: [0, 15, 65])
    func `a BLAKE2b key has 16 to 64 bytes`(count: Int) {
        #expect(throws: SigningFailure.wrongLength(was: count, wanted: 16...64)) {
            try KeyedBLAKE2b(key: [UInt8](repeating: 1, count: count))
        }
    }

    @Test func `a password hash has our cost, its own salt, and opens with that password only`() throws {
        let hash = try Argon2id.hash("correct horse")
        #expect(hash.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$"))
        #expect(try Argon2id.hash("correct horse") != hash)
        #expect(Argon2id.verify("correct horse", against: hash))
        #expect(!Argon2id.verify("correct horsE", against: hash))
        #expect(!Argon2id.verify("", against: hash))
        #expect(!Argon2id.verify("correct horse", against: String(hash.dropLast())))
        #expect(!Argon2id.verify("correct horse", against: "not a hash"))
    }

    /// From libsodium's own suite, made by the reference implementation.
    @Test func `a hash made elsewhere opens`() {
        let hash = "$argon2id$v=19$m=256,t=3,p=1$MDEyMzQ1Njc$G5ajKFCoUzaXRLdz7UJb5wGkb2Xt+X5/GQjUYtS2+TE"
        #expect(Argon2id.verify("password", against: hash))
        #expect(!Argon2id.verify("passwore", against: hash))
    }

    @Test func `a password beyond its bound is refused`() {
        let long = String(repeating: "x", count: Argon2id.passwordBytesMax + 1)
        #expect(throws: SigningFailure.wrongLength(was: 1025, wanted: 0...1024)) { try Argon2id.hash(long) }
    }
}
