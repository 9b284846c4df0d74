// The keys of one type of token: one that signs, others that only verify.
package import Signing

/// An immutable value; a rotation makes a new ring (see `KeyFolder`).
package struct KeyRing: Sendable {
    /// One key with both seals. A class, so that looking for the right one copies nothing.
    final class Entry: Sendable {
        let verification: VerificationKey
        /// Nil for a key that only verifies.
        let privateKey: Ed25519.PrivateKey?
        /// Nil for types without the second seal.
        let tagKey: KeyedBLAKE2b?

        init(verification: VerificationKey, privateKey: Ed25519.PrivateKey?, tagKey: KeyedBLAKE2b?) {
            self.verification = verification
            self.privateKey = privateKey
            self.tagKey = tagKey
        }
    }

    package let name: KeyName
    let entries: [Entry]
    /// The public halves, for a JWKS and for whoever checks signatures in this process.
    package let keys: KeySet

    /// The first entry with a private key signs.
    init(name: KeyName, entries: [Entry]) {
        self.name = name
        self.entries = entries
        keys = KeySet(entries.map(\.verification))
    }

    /// A ring of fresh keys that is kept nowhere: tests and tools.
    package static func ephemeral(_ name: KeyName) throws(SigningFailure) -> KeyRing {
        KeyRing(name: name, entries: [try Entry.fresh(name)])
    }

    package var signingKey: VerificationKey? { signer?.verification }

    var signer: Entry? { entries.first { $0.privateKey != nil } }

    /// For signatures in a format that is not ours; nil when the ring only verifies.
    package var privateKey: Ed25519.PrivateKey? { signer?.privateKey }

    // MARK: Signing, about 13 µs

    package func sign(_ token: PlaceToken) throws(TokenFault) -> String { try CompactToken.make(token, with: self) }
    package func sign(_ token: PassToken) throws(TokenFault) -> String { try CompactToken.make(token, with: self) }
    package func sign(_ token: AccountToken) throws(TokenFault) -> String { try CompactToken.make(token, with: self) }

    // MARK: Tag path, under 2 µs: checks the tag instead of the signature

    package func verifyTag(
        ofPlace token: UnsafeRawBufferPointer,
        room: String,
        at now: Int64
    ) throws(TokenFlaw) -> PlaceToken {
        try CompactToken.verifyTag(token, ring: self, audience: room, at: now)
    }

    package func verifyTag(
        ofPass token: UnsafeRawBufferPointer,
        room: String,
        at now: Int64
    ) throws(TokenFlaw) -> PassToken {
        try CompactToken.verifyTag(token, ring: self, audience: room, at: now)
    }

    /// As `verifyTag(ofPlace:room:at:)`, and every rule is checked, but no text is built and nothing allocated.
    package func glance(
        atPlace token: UnsafeRawBufferPointer,
        room: String,
        at now: Int64
    ) throws(TokenFlaw) -> PlaceGlance {
        try CompactToken.verifyTag(token, ring: self, audience: room, at: now)
    }

    package func verifyTag(ofPlace token: String, room: String, at now: Int64) throws(TokenFlaw) -> PlaceToken {
        try withBytes(of: token) { bytes throws(TokenFlaw) in try verifyTag(ofPlace: bytes, room: room, at: now) }
    }

    package func verifyTag(ofPass token: String, room: String, at now: Int64) throws(TokenFlaw) -> PassToken {
        try withBytes(of: token) { bytes throws(TokenFlaw) in try verifyTag(ofPass: bytes, room: room, at: now) }
    }

    private func withBytes<Claims>(
        of token: String,
        _ verify: (UnsafeRawBufferPointer) throws(TokenFlaw) -> Claims
    ) throws(TokenFlaw) -> Claims {
        var token = token
        let outcome: Result<Claims, TokenFlaw> = token.withUTF8 { bytes in
            Result { () throws(TokenFlaw) -> Claims in try verify(UnsafeRawBufferPointer(bytes)) }
        }
        return try outcome.get()
    }
}

extension KeyRing.Entry {
    static func fresh(_ name: KeyName) throws(SigningFailure) -> KeyRing.Entry {
        let privateKey = try Ed25519.PrivateKey()
        return KeyRing.Entry(
            verification: VerificationKey(name: name, publicKey: privateKey.publicKey),
            privateKey: privateKey,
            tagKey: name.isTagged ? try KeyedBLAKE2b(key: SecureRandom.bytes(KeyFolder.tagKeyLength)) : nil
        )
    }
}
