import Foundation
import Signing
import Testing

@testable import QueueTokens

struct EntryTicketTests {
    private static let issuer = "https://club.example"

    private func ticket(
        issuer: String = issuer,
        room: String = "arena",
        subject: String = "member-1",
        issuedAt: Int64 = now,
        expiresAt: Int64 = now + 600
    ) -> EntryTicket {
        EntryTicket(issuer: issuer, room: room, subject: subject, issuedAt: issuedAt, expiresAt: expiresAt)
    }

    private func flaw(_ token: String, _ keys: IssuerKeys) -> TokenFlaw? {
        do throws(TokenFlaw) {
            _ = try EntryTicket.verify(token, with: keys, issuer: Self.issuer, room: "arena", at: now)
            return nil
        } catch {
            return error
        }
    }

    /// Signs whatever header and claims say, as any JOSE library would.
    private func signed(_ header: String, _ claims: String, _ key: IssuerKey) -> String {
        let header = header.replacing("KID", with: key.keyID)
        let text = "\(Base64URL.encode(Array(header.utf8))).\(Base64URL.encode(Array(claims.utf8)))"
        return "\(text).\(Base64URL.encode(key.privateKey.signature(for: Array(text.utf8))))"
    }

    private static let header = #"{"typ":"usher-entry+jwt","alg":"EdDSA","kid":"KID"}"#
    private static let claims = #"{"iss":"https://club.example","aud":"arena","sub":"member-1","exp":1795252000}"#

    @Test func `a signed ticket says whom it lets in where`() throws {
        let key = try IssuerKey()
        let keys = try IssuerKeys(jwks: key.jwks)
        let token = try ticket().sign(with: key)
        let read = try EntryTicket.verify(token, with: keys, issuer: Self.issuer, room: "arena", at: now)
        #expect(read == ticket())
    }

    @Test(
        arguments: [
            (header, claims, nil),
            (
                header,
                #"{ "aud" : "arena", "sub":"member-1","iss":"https:\/\/club.example","exp":1795252000,"x":1.5,"y":null}"#,
                nil
            ),
            (header, #"{"iss":"https://club.example","aud":"arena","sub":"member-1","exp":1795251600}"#, .expired),
            (header, #"{"iss":"https://club.example","aud":"arena","sub":"member-1"}"#, .malformed),
            (header, #"{"iss":"https://club.example","aud":"arena","sub":"","exp":1795252000}"#, .malformed),
            (header, #"{"iss":"https://club.example","aud":"arena","exp":1795252000}"#, .malformed),
            (header, #"{"iss":"https://club.example","aud":"arena","sub":"a","sub":"b","exp":1795252000}"#, .malformed),
            (header, #"{"iss":"https://club.example","aud":["arena"],"sub":"a","exp":1795252000}"#, .malformed),
            (header, #"{"iss":"https://club.example","aud":"arena","sub":"a","exp":1795252000.5}"#, .malformed),
            (header, #"{"iss":"https://club.example","aud":"arena","sub":"a","exp":"1795252000"}"#, .malformed),
            (header, #"{"iss":"https://other.example","aud":"arena","sub":"a","exp":1795252000}"#, .wrongIssuer),
            (header, #"{"iss":"https://club.example","aud":"arena2","sub":"a","exp":1795252000}"#, .wrongAudience),
            (
                header, #"{"iss":"https://club.example","aud":"arena","sub":"a","exp":1795252000,"nbf":1795251700}"#,
                .notYetValid
            ),
            (
                header, #"{"iss":"https://club.example","aud":"arena","sub":"a","exp":1795252000,"iat":1795251700}"#,
                .notYetValid
            ),
            (header, "[]", .malformed), (header, claims + "{}", .malformed),
            (#"{"typ":"usher-entry+jwt","alg":"none","kid":"KID"}"#, claims, .wrongAlgorithm),
            (#"{"typ":"usher-entry+jwt","alg":"HS256","kid":"KID"}"#, claims, .wrongAlgorithm),
            (#"{"typ":"usher-place+jwt","alg":"EdDSA","kid":"KID"}"#, claims, .wrongType),
            (#"{"typ":"JWT","alg":"EdDSA","kid":"KID"}"#, claims, .wrongType),
            (#"{"alg":"EdDSA","kid":"KID"}"#, claims, .malformed),
            (#"{"typ":"usher-entry+jwt","alg":"EdDSA"}"#, claims, .malformed),
            (#"{"typ":"usher-entry+jwt","alg":"EdDSA","kid":"other"}"#, claims, .unknownKey),
            (#"{"typ":"usher-entry+jwt","alg":"EdDSA","kid":"KID","crit":"exp"}"#, claims, .malformed),
            (#"{"typ":"usher-entry+jwt","alg":"EdDSA","kid":"KID","jku":"https://evil.example"}"#, claims, .malformed),
            (#"{"typ":"usher-entry+jwt","alg":"EdDSA","alg":"none","kid":"KID"}"#, claims, .malformed),
        ] as [(String, String, TokenFlaw?)]
    )
    func `what a stock library signs is read, and nothing odd`(header: String, claims: String, wanted: TokenFlaw?)
        throws
    {
        let key = try IssuerKey()
        #expect(flaw(signed(header, claims, key), try IssuerKeys(jwks: key.jwks)) == wanted)
    }

    @Test func `a changed ticket, or one of another key, lets nobody in`() throws {
        let key = try IssuerKey()
        let keys = try IssuerKeys(jwks: key.jwks)
        let token = try ticket().sign(with: key)
        let parts = token.split(separator: ".").map(String.init)
        let other = try ticket(subject: "member-2").sign(with: key).split(separator: ".").map(String.init)
        #expect(flaw("\(parts[0]).\(other[1]).\(parts[2])", keys) == .badSignature)
        #expect(flaw("\(parts[0]).\(parts[1])", keys) == .malformed)
        #expect(flaw("\(parts[0]).\(parts[1]).", keys) == .badSignature)
        #expect(flaw("\(token).", keys) == .malformed)
        #expect(flaw("\(token)=", keys) == .malformed)
        #expect(flaw(String(repeating: "A", count: 5000), keys) == .tooLong)
        #expect(flaw(try ticket().sign(with: IssuerKey()), keys) == .unknownKey)
    }

    @Test func `attack 11: of two keys with one id neither counts, and foreign kinds are passed over`() throws {
        let (one, two) = (try IssuerKey(), try IssuerKey())
        func key(_ issuer: IssuerKey, _ id: String, _ rest: String = "") -> String {
            #"{"kty":"OKP","crv":"Ed25519","x":"\#(Base64URL.encode(issuer.privateKey.publicKey.bytes))","kid":"\#(id)"\#(rest)}"#
        }
        func keys(_ list: String...) throws -> IssuerKeys {
            try IssuerKeys(jwks: Array(#"{"keys":[\#(list.joined(separator: ","))]}"#.utf8))
        }
        #expect(try keys(key(one, "a"), key(two, "a")).isEmpty)
        #expect(try keys(key(one, "a", #","use":"enc""#), #"{"kty":"RSA","kid":"b"}"#, key(two, "")).isEmpty)
        #expect(try keys(key(one, "a"), key(two, "b")).key("b") == two.privateKey.publicKey)
        #expect(throws: JWKS.Flaw.self) { _ = try IssuerKeys(jwks: Array("{".utf8)) }
    }

    @Test func `an issuer's key is made once and kept`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "usher-entry-\(UInt32.random(in: 0 ... .max))"
        )
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "issuer.jwk").path()
        let first = try IssuerKey.load(from: path)
        let again = try IssuerKey.load(from: path)
        #expect(first.keyID == again.keyID && first.jwks == again.jwks)
        #expect(!String(decoding: first.jwks, as: UTF8.self).contains("\"d\""))
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }
}
