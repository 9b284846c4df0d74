// What is signed is what is read, on both paths; wrong room, type, time and key are each told apart.
import QueueTokens
import Testing

struct RoundTripTests {
    let places = Result { try KeyRing.ephemeral(.place) }
    let passes = Result { try KeyRing.ephemeral(.pass) }
    let accounts = Result { try KeyRing.ephemeral(.account) }

    @Test(arguments: [PlaceToken.Cohort.pre, .live])
    func `a place reads back by its tag and by its signature`(cohort: PlaceToken.Cohort) throws {
        let ring = try places.get()
        var claims = place()
        claims.cohort = cohort
        let token = try ring.sign(claims)
        #expect(try ring.verifyTag(ofPlace: token, room: "arena", at: now) == claims)
        #expect(try ring.keys.verifySignature(ofPlace: token, room: "arena", at: now) == claims)
    }

    @Test(arguments: [nil, "usr_0647q1m3z8e2v9k5c7x4n6b1tw"])
    func `a pass reads back by its tag and by its signature`(account: String?) throws {
        let ring = try passes.get()
        let claims = pass(account: account)
        let token = try ring.sign(claims)
        #expect(try ring.verifyTag(ofPass: token, room: "arena", at: now) == claims)
        #expect(try ring.keys.verifySignature(ofPass: token, room: "arena", at: now) == claims)
    }

    @Test func `an account token reads back by its signature`() throws {
        let ring = try accounts.get()
        let claims = account()
        #expect(try ring.keys.verifySignature(ofAccount: ring.sign(claims), at: now) == claims)
    }

    @Test func `attack 3: a token of another room is refused on both paths`() throws {
        let ring = try passes.get()
        let token = try ring.sign(pass(room: "arena"))
        #expect(flaw { _ = try ring.verifyTag(ofPass: token, room: "arena2", at: now) } == .wrongAudience)
        #expect(flaw { _ = try ring.keys.verifySignature(ofPass: token, room: "aren", at: now) } == .wrongAudience)
    }

    @Test func `attack 4: a token is good from thirty seconds before its issue to the second before its end`() throws {
        let ring = try passes.get()
        let token = try ring.sign(pass())
        let table: [(time: Int64, flaw: TokenFlaw?)] = [
            (now - 31, .notYetValid), (now - 30, nil), (now, nil), (now + 299, nil), (now + 300, .expired),
            (now + 100_000, .expired),
        ]
        for (time, expected) in table {
            #expect(flaw { _ = try ring.verifyTag(ofPass: token, room: "arena", at: time) } == expected)
            #expect(flaw { _ = try ring.keys.verifySignature(ofPass: token, room: "arena", at: time) } == expected)
        }
    }

    @Test func `attack 3: a place is not a pass, nor the other way round`() throws {
        let (places, passes) = (try places.get(), try passes.get())
        let both = places.keys.union(passes.keys)
        let place = try places.sign(place())
        let pass = try passes.sign(pass())
        #expect(flaw { _ = try passes.verifyTag(ofPass: place, room: "arena", at: now) } == .wrongType)
        #expect(flaw { _ = try places.verifyTag(ofPlace: pass, room: "arena", at: now) } == .wrongType)
        #expect(flaw { _ = try both.verifySignature(ofPass: place, room: "arena", at: now) } == .wrongType)
        #expect(flaw { _ = try both.verifySignature(ofPlace: pass, room: "arena", at: now) } == .wrongType)
        #expect(flaw { _ = try both.verifySignature(ofAccount: pass, at: now) } == .wrongType)
    }

    @Test func `a ring signs only its own type`() throws {
        let ring = try passes.get()
        #expect(throws: TokenFault.noSigningKey) { try ring.sign(place()) }
        #expect(throws: TokenFault.noSigningKey) { try ring.sign(account()) }
    }

    @Test func `a stranger's token names an unknown key`() throws {
        let ring = try passes.get()
        let token = try KeyRing.ephemeral(.pass).sign(pass())
        #expect(flaw { _ = try ring.verifyTag(ofPass: token, room: "arena", at: now) } == .unknownKey)
        #expect(flaw { _ = try ring.keys.verifySignature(ofPass: token, room: "arena", at: now) } == .unknownKey)
    }

    @Test(arguments: ["a\"b", "a\\b", "é", "line\n", String(repeating: "x", count: 129)])
    func `a text that would need an escape is not signed`(room: String) throws {
        let ring = try passes.get()
        #expect(throws: TokenFault.unwritableClaim(room)) { try ring.sign(pass(room: room)) }
    }

    @Test func `tokens of usual claims stay well below the limit`() throws {
        let room = String(repeating: "r", count: 40)
        #expect(try places.get().sign(place(room: room)).utf8.count < 600)
        #expect(try passes.get().sign(pass(room: room, account: "usr_0647q1m3z8e2v9k5c7x4n6b1tw")).utf8.count < 640)
    }
}
