// Texts for bytes: each has one spelling, and only that one is read.
import Signing
import Testing

struct EncodingTests {
    /// RFC 4648 §10, without padding.
    @Test(arguments: [
        ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
        ("foobar", "Zm9vYmFy"), ("~~?", "fn4_"), ("~~>", "fn4-"),
    ])
    func `base64url is RFC 4648's without padding`(plain: String, text: String) {
        #expect(Base64URL.encode(Array(plain.utf8)) == text)
        #expect(Base64URL.decode(text) == Array(plain.utf8))
    }

    @Test(arguments: [
        "A", "Zg==", "Zg=", "Zh", "Zm9", "Zm8 ", " Zm8", "Zm9v\n", "Zm9+", "Zm9/", "Zm9vYgé", "Zm9vY", "Zm9.",
    ])
    func `base64url with padding, spare bits or foreign characters is refused`(text: String) {
        #expect(Base64URL.decode(text) == nil)
    }

    @Test func `every length goes through base64url and back, and no changed character reads as the same bytes`() {
        for count in 0...70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 151 &+ count) }
            let text = Base64URL.encode(bytes)
            #expect(text.utf8.count == Base64URL.encodedLength(of: count))
            #expect(Base64URL.decode(text) == bytes)
            var characters = Array(text.utf8)
            for index in characters.indices {
                let kept = characters[index]
                for bit in 0..<8 {
                    characters[index] = kept ^ 1 << UInt8(bit)
                    let changed = characters.withUnsafeBytes { text in
                        var output = [UInt8](repeating: 0, count: 80)
                        return output.withUnsafeMutableBytes { Base64URL.decode(text, into: $0) }
                            .map { Array(output.prefix($0)) }
                    }
                    #expect(changed != bytes)
                }
                characters[index] = kept
            }
        }
    }

    /// RFC 9285 §4.3 and §4.4.
    @Test(arguments: [("AB", "BB8"), ("Hello!!", "%69 VD92EX0"), ("base-45", "UJCLQE7W581"), ("ietf!", "QED8WEX0")])
    func `base45 is RFC 9285's`(plain: String, text: String) {
        #expect(Base45.encode(Array(plain.utf8)) == text)
        #expect(Base45.decode(text) == Array(plain.utf8))
    }

    @Test(arguments: ["GGW", ":::", "B", "BB8A", "bb8", "BB8é", "::", "BB8\n"])
    func `base45 out of range, cut or with foreign characters is refused`(text: String) {
        #expect(Base45.decode(text) == nil)
    }

    @Test func `hex reads both cases and writes lower case`() {
        #expect(Hex.encode([0x00, 0xff, 0x1a]) == "00ff1a")
        #expect(Hex.decode("00FF1a") == [0x00, 0xff, 0x1a])
        for text in ["0", "0g", "é0", " 00", "0x00"] { #expect(Hex.decode(text) == nil) }
    }

    @Test func `an identifier sorts by its time and goes through its texts`() throws {
        let random: [UInt8] = [0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0xfa, 0xf9, 0xf8, 0xf7, 0xf6]
        // The instant of RFC 9562 appendix A.6.
        let early = UUIDv7.make(milliseconds: 0x017F_22E2_79B0, random: random)
        let late = UUIDv7.make(milliseconds: 0x017F_22E2_79B1, random: [UInt8](repeating: 0, count: 10))
        #expect(early < late && early.text < late.text && early.hyphenated < late.hyphenated)
        #expect(early.hyphenated.hasPrefix("017f22e2-79b0-7"))
        #expect("89ab".contains(Array(early.hyphenated)[19]))
        #expect(early.milliseconds == 0x017F_22E2_79B0)
        #expect(UUIDv7(text: early.text) == early && early.text.count == 26)
        #expect(UUIDv7(bytes: early.bytes) == early && early.bytes.count == 16)
    }

    @Test func `an identifier's text has the RFC's value`() throws {
        let id = try #require(UUIDv7(bytes: bytes("017f22e279b07cc398c4dc0c0c07398f")))
        #expect(id.hyphenated == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
        #expect(id.text == "01fwhe4ydgfk1shh6w1g60eecf")
    }

    @Test(arguments: [
        "", "01FWHE4YDGFK1SHH6W1G60EECF", "81fwhe4ydgfk1shh6w1g60eecf", "01fwhe4ydgfk1shh6w1g60eec",
        "01fwhe4ydgfk1shh6w1g60eecff", "01fwhe4ydgfk1shh6w1g60eeco", "01fwhe4ydgfk1shh6w1g60eecu",
    ])
    func `an identifier has no second spelling`(text: String) {
        #expect(UUIDv7(text: text) == nil)
    }

    @Test func `random bytes do not repeat and constant-time comparison compares`() {
        #expect(SecureRandom.bytes(32) != SecureRandom.bytes(32))
        #expect(SecureRandom.bytes(0).isEmpty)
        #expect(ConstantTime.areEqual([], []) && ConstantTime.areEqual([1, 2], [1, 2]))
        #expect(!ConstantTime.areEqual([1, 2], [1, 3]) && !ConstantTime.areEqual([1], [1, 2]))
    }
}
