// An entry ticket: the right of one person to join one room, signed by somebody the gateway trusts. A compact JWS that a
// stock JOSE library can write: EdDSA, `typ` `usher-entry+jwt`, claims `iss`, `aud` (the room), `sub` (one per person),
// `exp`, and if wanted `iat`, `nbf` and further flat ones.
import Signing

package struct EntryTicket: Sendable, Hashable {
    package static let type = "usher-entry+jwt"
    package static let bytesMax = 2048
    package static let subjectBytesMax = 128

    package var issuer: String
    package var room: String
    /// Names one person at this issuer, always by the same text.
    package var subject: String
    package var issuedAt: Int64
    package var expiresAt: Int64

    package init(issuer: String, room: String, subject: String, issuedAt: Int64, expiresAt: Int64) {
        self.issuer = issuer
        self.room = room
        self.subject = subject
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
    }

    package func sign(with key: IssuerKey) throws(TokenFault) -> String {
        for text in [issuer, room, subject] where text.isEmpty || !text.utf8.allSatisfy(ClaimWriter.isPlain) {
            throw .unwritableClaim(text)
        }
        guard subject.utf8.count <= Self.subjectBytesMax else { throw .unwritableClaim(subject) }
        let header = #"{"alg":"EdDSA","kid":"\#(key.keyID)","typ":"\#(Self.type)"}"#
        let claims =
            #"{"iss":"\#(issuer)","aud":"\#(room)","sub":"\#(subject)","iat":\#(issuedAt),"exp":\#(expiresAt)"#
            + #","jti":"\#(TokenID.random())"}"#
        let signed = Base64URL.encode(Array(header.utf8)) + "." + Base64URL.encode(Array(claims.utf8))
        let token = signed + "." + Base64URL.encode(key.privateKey.signature(for: Array(signed.utf8)))
        guard token.utf8.count <= Self.bytesMax else { throw .tooLong }
        return token
    }

    package static func verify(
        _ token: String,
        with keys: IssuerKeys,
        issuer: String,
        room: String,
        at now: Int64
    ) throws(TokenFlaw) -> EntryTicket {
        guard token.utf8.count <= bytesMax else { throw .tooLong }
        let parts = token.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, let header = Base64URL.decode(parts[0]).flatMap({ FlatJSON($0) }) else {
            throw .malformed
        }
        guard header.text("alg") == TokenRules.algorithm else { throw .wrongAlgorithm }
        // No `crit`, `jku`, `jwk` or `x5u`: a header that says where its key is says nothing.
        guard header.names == ["alg", "kid", "typ"], let keyID = header.text("kid") else { throw .malformed }
        guard header.text("typ") == type else { throw .wrongType }
        guard let key = keys.key(keyID) else { throw .unknownKey }
        guard let signature = Base64URL.decode(parts[2]) else { throw .malformed }
        guard key.isValid(signature: signature, for: Array("\(parts[0]).\(parts[1])".utf8)) else { throw .badSignature }
        guard let claims = Base64URL.decode(parts[1]).flatMap({ FlatJSON($0) }) else { throw .malformed }
        return try EntryTicket(claims, issuer: issuer, room: room, at: now)
    }

    private init(_ claims: FlatJSON, issuer: String, room: String, at now: Int64) throws(TokenFlaw) {
        guard let expiresAt = claims.number("exp"), let subject = claims.text("sub"),
            (1...Self.subjectBytesMax).contains(subject.utf8.count), subject.utf8.allSatisfy(ClaimWriter.isPlain)
        else { throw .malformed }
        guard claims.text("iss") == issuer else { throw .wrongIssuer }
        guard claims.text("aud") == room else { throw .wrongAudience }
        for name in ["iat", "nbf"] where claims.names.contains(name) {
            guard let time = claims.number(name) else { throw .malformed }
            guard time <= now + TokenRules.clockSkewMax else { throw .notYetValid }
        }
        guard now < expiresAt else { throw .expired }
        self.init(
            issuer: issuer,
            room: room,
            subject: subject,
            issuedAt: claims.number("iat") ?? 0,
            expiresAt: expiresAt
        )
    }
}
