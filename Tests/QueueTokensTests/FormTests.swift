// Tokens with both seals right and the wrong form: one table of ways to say the same thing differently.
import QueueTokens
import Signing
import Testing

struct FormTests {
    private static let start = #"{"iss":"usher-gateway","aud":"arena","iat":1795251600,"exp":1795251900,"jti":"aaaa""#
    private static let rest =
        #","pid":"pas_1","sub":"s","place":4711,"cap":1795252500,"gen":3"#

    private func flaws(header: String? = nil, payload: String) throws -> Set<TokenFlaw?> {
        let forger = try Forger(.pass)
        let token = forger.seal(header: header ?? forger.header("usher-pass+jwt"), payload: payload)
        return [
            flaw { _ = try forger.ring.verifyTag(ofPass: token, room: "arena", at: now) },
            flaw { _ = try forger.ring.keys.verifySignature(ofPass: token, room: "arena", at: now) },
        ]
    }

    @Test func `the form itself passes`() throws {
        #expect(try flaws(payload: Self.start + Self.rest) == [nil])
    }

    @Test(arguments: [
        ("a duplicate member", start + #","jti":"bbbb""# + rest),
        ("a duplicate at the end", start + rest + #","gen":3"#),
        ("a foreign member", start + rest + #","admin":true"#),
        ("a member missing", start + #","pid":"pas_1","sub":"s","place":4711,"cap":1795252500"#),
        ("another order", start + #","sub":"s","pid":"pas_1","place":4711,"cap":1795252500,"gen":3"#),
        ("white space", start + #", "pid":"pas_1","sub":"s","place":4711,"cap":1795252500,"gen":3"#),
        ("an escape", start + #","pid":"p\u0061s_1","sub":"s","place":4711,"cap":1795252500,"gen":3"#),
        ("an escaped quote", start + #","pid":"\"","sub":"s","place":4711,"cap":1795252500,"gen":3"#),
        ("an escaped name", start + #","p\u0069d":"pas_1","sub":"s","place":4711,"cap":1795252500,"gen":3"#),
        ("bytes beyond ASCII", start + #","pid":"é","sub":"s","place":4711,"cap":1795252500,"gen":3"#),
        ("a control character", start + ",\"pid\":\"a\tb\",\"sub\":\"s\",\"place\":4711,\"cap\":1795252500,\"gen\":3"),
        ("a number as text", start + #","pid":"pas_1","sub":"s","place":"4711","cap":1795252500,"gen":3"#),
        ("a text as number", start + #","pid":1,"sub":"s","place":4711,"cap":1795252500,"gen":3"#),
        ("a leading zero", start + #","pid":"pas_1","sub":"s","place":04711,"cap":1795252500,"gen":3"#),
        ("an exponent", start + #","pid":"pas_1","sub":"s","place":4711e0,"cap":1795252500,"gen":3"#),
        ("a fraction", start + #","pid":"pas_1","sub":"s","place":4711.0,"cap":1795252500,"gen":3"#),
        ("a negative number", start + #","pid":"pas_1","sub":"s","place":-1,"cap":1795252500,"gen":3"#),
        ("no number", start + #","pid":"pas_1","sub":"s","place":,"cap":1795252500,"gen":3"#),
        ("2^63", start + #","pid":"pas_1","sub":"s","place":9223372036854775808,"cap":1795252500,"gen":3"#),
        ("2^64 + 1", start + #","pid":"pas_1","sub":"s","place":18446744073709551617,"cap":1795252500,"gen":3"#),
        ("a list of audiences", start.replacing(#""arena""#, with: #"["arena"]"#) + rest),
        ("a null", start + #","pid":null,"sub":"s","place":4711,"cap":1795252500,"gen":3"#),
        ("no claims at all", "{"),
    ])
    func `attack 4: claims in any other form are malformed on both paths`(what: String, payload: String) throws {
        #expect(try flaws(payload: payload) == [.malformed], "\(what)")
    }

    @Test(arguments: [
        ("usher-booking", TokenFlaw.wrongIssuer), ("usher-gateway2", .wrongIssuer), ("", .wrongIssuer),
    ])
    func `another issuer is refused on both paths`(issuer: String, expected: TokenFlaw) throws {
        #expect(try flaws(payload: (Self.start + Self.rest).replacing("usher-gateway", with: issuer)) == [expected])
    }

    @Test func `the largest number is read`() throws {
        let payload = Self.start + Self.rest.replacing("4711", with: "9223372036854775807")
        #expect(try flaws(payload: payload) == [nil])
    }

    @Test func `an end before the issue is refused`() throws {
        #expect(try flaws(payload: (Self.start + Self.rest).replacing("1795251900", with: "1795251600")) == [.expired])
    }

    @Test func `a text beyond its bound is malformed`() throws {
        let long = String(repeating: "s", count: TokenRules.claimBytesMax + 1)
        let payload = Self.start + Self.rest.replacing(#""s""#, with: #""\#(long)""#)
        #expect(try flaws(payload: payload) == [.malformed])
    }

    @Test func `attack 4: a token above one kibibyte is too long`() throws {
        let payload = Self.start + Self.rest + String(repeating: " ", count: 800)
        #expect(try flaws(payload: payload) == [.tooLong])
    }

    /// The algorithm comes first: whatever else is in a header, a wrong one is what is said about it.
    @Test(arguments: [
        (#"{"alg":"none","kid":"KID","typ":"usher-pass+jwt"}"#, TokenFlaw.wrongAlgorithm),
        (#"{"alg":"none"}"#, .wrongAlgorithm),
        (#"{"alg":"HS256","kid":"KID","typ":"usher-pass+jwt"}"#, .wrongAlgorithm),
        (#"{"alg":"Ed25519","kid":"KID","typ":"usher-pass+jwt"}"#, .wrongAlgorithm),
        (#"{"alg":"EdDSA ","kid":"KID","typ":"JWT"}"#, .wrongAlgorithm),
        (#"{"alg":"eddsa","kid":"other","typ":"usher-pass+jwt"}"#, .wrongAlgorithm),
        (#"{"alg":"EdDSA","kid":"KID","typ":"usher-place+jwt"}"#, .wrongType),
        (#"{"alg":"EdDSA","kid":"KID","typ":"JWT"}"#, .wrongType),
        (#"{"alg":"EdDSA","kid":"KID","typ":"USHER-PASS+JWT"}"#, .wrongType),
        (#"{"alg":"EdDSA","kid":"pass-000000000000","typ":"usher-pass+jwt"}"#, .unknownKey),
        (#"{"alg":"EdDSA","kid":"","typ":"usher-pass+jwt"}"#, .unknownKey),
        (#"{"alg":"EdDSA","typ":"usher-pass+jwt","kid":"KID"}"#, .malformed),
        (#"{"alg":"EdDSA","kid":"KID"}"#, .malformed),
        (#"{"alg":"EdDSA","kid":"KID","typ":"usher-pass+jwt","crit":["exp"]}"#, .malformed),
        (#"{"alg":"EdDSA","jku":"https://evil.example","kid":"KID","typ":"usher-pass+jwt"}"#, .malformed),
        (#"{"alg":"EdDSA","jwk":{},"kid":"KID","typ":"usher-pass+jwt"}"#, .malformed),
        (#"{"alg":"EdDSA","x5u":"https://evil.example","kid":"KID","typ":"usher-pass+jwt"}"#, .malformed),
        (#"{"alg":"EdDSA","alg":"none","kid":"KID","typ":"usher-pass+jwt"}"#, .malformed),
        (#"{"alg":"EdDSA","kid":"KID","typ":"usher-pass+jwt"} "#, .malformed),
        (#"{ "alg":"EdDSA","kid":"KID","typ":"usher-pass+jwt"}"#, .malformed),
        (#"[]"#, .malformed), ("", .malformed),
    ])
    func `attack 4: a header in any other form is refused on both paths`(header: String, expected: TokenFlaw) throws {
        let forger = try Forger(.pass)
        let header = header.replacing("KID", with: forger.keyID)
        let token = forger.seal(header: header, payload: Self.start + Self.rest)
        #expect(flaw { _ = try forger.ring.verifyTag(ofPass: token, room: "arena", at: now) } == expected)
        #expect(flaw { _ = try forger.ring.keys.verifySignature(ofPass: token, room: "arena", at: now) } == expected)
    }

    @Test func `a pass without a tag is malformed, even with a right signature`() throws {
        let forger = try Forger(.pass)
        let token = forger.sign(header: forger.header("usher-pass+jwt"), payload: Self.start + Self.rest + "}")
        #expect(flaw { _ = try forger.ring.verifyTag(ofPass: token, room: "arena", at: now) } == .malformed)
        #expect(flaw { _ = try forger.ring.keys.verifySignature(ofPass: token, room: "arena", at: now) } == .malformed)
    }

    @Test func `attack 3: a key of one type never seals another, whatever the header says`() throws {
        let places = try Forger(.place)
        let token = places.seal(header: places.header("usher-pass+jwt"), payload: Self.start + Self.rest)
        #expect(flaw { _ = try places.ring.keys.verifySignature(ofPass: token, room: "arena", at: now) } != nil)
        #expect(flaw { _ = try places.ring.verifyTag(ofPass: token, room: "arena", at: now) } != nil)
    }
}
