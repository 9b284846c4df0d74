import Testing

@testable import BookingServer

struct VerifiedTokensTests {
    @Test func `a token is known again until so many others came`() {
        let tokens = VerifiedTokens<Int>(halfMax: 2)
        tokens.remember("a", 1)
        tokens.remember("b", 2)
        #expect(tokens.claims(of: "a") == 1)
        #expect(tokens.claims(of: "c") == nil)
        tokens.remember("c", 3)
        tokens.remember("d", 4)
        #expect(tokens.claims(of: "a") == 1)
        tokens.remember("e", 5)
        #expect(tokens.claims(of: "a") == nil && tokens.claims(of: "b") == nil)
        #expect(tokens.claims(of: "c") == 3 && tokens.claims(of: "e") == 5)
    }
}
