// One changed bit, anywhere under a seal, is refused on the path that checks the seal.
import QueueTokens
import Signing
import Testing

struct TamperTests {
    /// Each way of changing one bit of the token's text.
    private func variants(of token: String) -> [(index: Int, token: [UInt8])] {
        let characters = Array(token.utf8)
        return characters.indices.flatMap { index in
            (0..<8).map { bit in
                var changed = characters
                changed[index] ^= 1 << UInt8(bit)
                return (index, changed)
            }
        }
    }

    private func tagFlaw(_ ring: KeyRing, _ token: [UInt8]) -> TokenFlaw? {
        flaw { _ = try token.withUnsafeBytes { try ring.verifyTag(ofPass: $0, room: "arena", at: now) } }
    }

    private func signatureFlaw(_ ring: KeyRing, _ token: [UInt8]) -> TokenFlaw? {
        // A text that is not UTF-8 cannot reach the signature path.
        guard let text = String(validating: token, as: UTF8.self) else { return .malformed }
        return flaw { _ = try ring.keys.verifySignature(ofPass: text, room: "arena", at: now) }
    }

    @Test func `any bit of header, claims or tag, on the tag path`() throws {
        let ring = try KeyRing.ephemeral(.pass)
        let token = try ring.sign(pass(account: "usr_0647q1m3z8e2v9k5c7x4n6b1tw"))
        let sealed = token.utf8.count - 86
        for (index, changed) in variants(of: token) where index < sealed {
            #expect(tagFlaw(ring, changed) != nil, "byte \(index)")
        }
        #expect(tagFlaw(ring, Array(token.utf8)) == nil)
    }

    @Test func `any bit of the whole token, on the signature path`() throws {
        let ring = try KeyRing.ephemeral(.pass)
        let token = try ring.sign(pass())
        for (index, changed) in variants(of: token) {
            #expect(signatureFlaw(ring, changed) != nil, "byte \(index)")
        }
        #expect(signatureFlaw(ring, Array(token.utf8)) == nil)
    }

    @Test func `any bit of the claims' JSON, written anew, on both paths`() throws {
        let ring = try KeyRing.ephemeral(.pass)
        let parts = try ring.sign(pass()).split(separator: ".")
        let payload = try #require(Base64URL.decode(String(parts[1])))
        for bit in 0..<(payload.count * 8) {
            var changed = payload
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            let token = Array("\(parts[0]).\(Base64URL.encode(changed)).\(parts[2])".utf8)
            // Bits of `,"tag":"` and of the end are form, the rest is under the tag.
            let byTag = tagFlaw(ring, token)
            #expect(byTag == .badTag || byTag == .malformed, "bit \(bit)")
            #expect(signatureFlaw(ring, token) == .badSignature, "bit \(bit)")
        }
    }

    @Test func `a token cut or grown anywhere is refused on both paths`() throws {
        let ring = try KeyRing.ephemeral(.pass)
        let token = Array(try ring.sign(pass()).utf8)
        for count in 0..<token.count {
            #expect(tagFlaw(ring, Array(token.prefix(count))) != nil)
            #expect(signatureFlaw(ring, Array(token.prefix(count))) != nil)
        }
        for extra in ["A", ".", "=", " ", "\n", ".AAAA"] {
            #expect(tagFlaw(ring, token + Array(extra.utf8)) != nil)
            #expect(signatureFlaw(ring, token + Array(extra.utf8)) != nil)
        }
    }

    @Test func `a signature that is not base64url is refused on the tag path, too`() throws {
        let ring = try KeyRing.ephemeral(.pass)
        let token = Array(try ring.sign(pass()).utf8)
        for foreign in [UInt8(ascii: "="), UInt8(ascii: "."), UInt8(ascii: " "), 0, 0x80, 0xff] {
            var changed = token
            changed[token.count - 40] = foreign
            #expect(tagFlaw(ring, changed) == .malformed)
        }
    }

    @Test func `attack 5: the claims of one token under the seals of another are refused`() throws {
        let ring = try KeyRing.ephemeral(.pass)
        let one = try ring.sign(pass()).split(separator: ".")
        let other = try ring.sign(pass(room: "hall")).split(separator: ".")
        let mixed = Array("\(one[0]).\(one[1]).\(other[2])".utf8)
        #expect(signatureFlaw(ring, mixed) == .badSignature)
    }
}
