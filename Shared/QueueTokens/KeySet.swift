// Public keys by key id: what anybody who verifies signatures holds.
package import Signing

package struct VerificationKey: Sendable, Hashable {
    /// `<name>-<first 12 characters of the RFC 7638 thumbprint>`.
    package let keyID: String
    package let name: KeyName
    package let publicKey: Ed25519.PublicKey
    /// `base64url(header).` of every token this key signs; empty for tickets. A token's first bytes are compared
    /// with it, so that neither header nor key id is ever decoded on the way of a good token.
    let headerBytes: [UInt8]

    package init(name: KeyName, publicKey: Ed25519.PublicKey) {
        let keyID = "\(name.rawValue)-\(Self.thumbprint(of: publicKey).prefix(12))"
        self.init(keyID: keyID, name: name, publicKey: publicKey)
    }

    /// A key somebody published; nil when its id names no use we know.
    package init?(keyID: String, publicKey: Ed25519.PublicKey) {
        guard let name = KeyName(keyID: keyID), keyID.utf8.count <= 64, keyID.utf8.allSatisfy(ClaimWriter.isPlain)
        else { return nil }
        self.init(keyID: keyID, name: name, publicKey: publicKey)
    }

    private init(keyID: String, name: KeyName, publicKey: Ed25519.PublicKey) {
        self.keyID = keyID
        self.name = name
        self.publicKey = publicKey
        headerBytes = name.tokenType.map { Self.headerBytes(keyID: keyID, type: $0) } ?? []
    }

    /// RFC 7638 over `{"crv":…,"kty":…,"x":…}` (RFC 8037 §2), in base64url.
    package static func thumbprint(of key: Ed25519.PublicKey) -> String {
        let text = #"{"crv":"Ed25519","kty":"OKP","x":"\#(Base64URL.encode(key.bytes))"}"#
        return Base64URL.encode(SHA256.digest(Array(text.utf8)))
    }

    private static func headerBytes(keyID: String, type: TokenType) -> [UInt8] {
        let header = #"{"alg":"EdDSA","kid":"\#(keyID)","typ":"\#(type.header)"}"#
        return Array(Base64URL.encode(Array(header.utf8)).utf8) + [UInt8(ascii: ".")]
    }
}

/// An immutable set; swap in a new one when keys change.
package struct KeySet: Sendable, Hashable {
    package static let keyCountMax = 32

    package let keys: [VerificationKey]

    /// The first `keyCountMax` keys are kept.
    package init(_ keys: [VerificationKey] = []) {
        self.keys = Array(keys.prefix(Self.keyCountMax))
    }

    package func union(_ other: KeySet) -> KeySet {
        KeySet(keys + other.keys.filter { !keys.contains($0) })
    }

    // MARK: Signature path

    package func verifySignature(
        ofPlace token: some StringProtocol,
        room: String,
        at now: Int64
    ) throws(TokenFlaw) -> PlaceToken {
        try verify(token, audience: room, at: now)
    }

    package func verifySignature(
        ofPass token: some StringProtocol,
        room: String,
        at now: Int64
    ) throws(TokenFlaw) -> PassToken {
        try verify(token, audience: room, at: now)
    }

    package func verifySignature(ofAccount token: some StringProtocol, at now: Int64) throws(TokenFlaw) -> AccountToken
    {
        try verify(token, audience: TokenType.accountAudience, at: now)
    }

    private func verify<Claims: TokenClaims>(
        _ token: some StringProtocol,
        audience: String,
        at now: Int64
    ) throws(TokenFlaw) -> Claims {
        let bytes = Array(token.utf8.prefix(TokenRules.bytesMax + 1))
        let outcome: Result<Claims, TokenFlaw> = bytes.withUnsafeBytes { bytes in
            Result { () throws(TokenFlaw) -> Claims in
                try CompactToken.verifySignature(bytes, keys: keys, audience: audience, at: now)
            }
        }
        return try outcome.get()
    }
}
