// Our subset of compact JWS (RFC 7515 §7.1, RFC 8037): `base64url(header).base64url(payload).base64url(signature)`.
//
// Header: exactly `{"alg":"EdDSA","kid":"…","typ":"…"}`. Payload: the claims in the order `ClaimForms` writes them.
// Signature: Ed25519 over `base64url(header).base64url(payload)`, the tag included.
//
// Tag: the last claim of a place or pass, `,"tag":"` + 22 characters + `"}`. It is the first 16 bytes of the 32-byte
// BLAKE2b, keyed with the tag key of the header's `kid`, over these bytes in this order: `base64url(header)`, `.`, and
// the payload's JSON (decoded) from its first byte up to, not including, the comma before `"tag"`. As base64url is read
// strictly, no other text of header and payload has the same bytes; the signature is not under the tag.
#if canImport(Musl)
    import Musl
#else
    import Glibc
#endif
import Signing

enum CompactToken {
    static func make<Claims: TokenClaims>(_ claims: Claims, with ring: KeyRing) throws(TokenFault) -> String {
        guard let entry = ring.signer, let privateKey = entry.privateKey, ring.name == Claims.type.keyName else {
            throw .noSigningKey
        }
        let outcome = withUnsafeTemporaryAllocation(byteCount: TokenRules.bytesMax, alignment: 1) { space in
            Result { () throws(TokenFault) -> String in
                try make(claims, entry, privateKey, in: space)
            }
        }
        return try outcome.get()
    }

    private static func make<Claims: TokenClaims>(
        _ claims: Claims,
        _ entry: KeyRing.Entry,
        _ privateKey: Ed25519.PrivateKey,
        in space: UnsafeMutableRawBufferPointer
    ) throws(TokenFault) -> String {
        var writer = ClaimWriter(into: space)
        // The header as it stands in a token, then the payload before its encoding.
        entry.verification.headerBytes.withUnsafeBytes { writer.put($0) }
        let headerCount = writer.bytes.count
        claims.envelope.write(into: &writer)
        claims.writeOwnClaims(into: &writer)
        if Claims.type.isTagged {
            guard let tagKey = entry.tagKey else { throw .noSigningKey }
            let tag = tagKey.tag(of: writer.bytes)
            writer.put(TokenRules.tagMemberStart)
            tag.withUnsafeBytes { writer.put(encoding: UnsafeRawBufferPointer(rebasing: $0[..<TokenRules.tagLength])) }
            writer.put("\"")
        }
        writer.put("}")
        if let fault = writer.fault { throw fault }
        guard let token = signed(writer.bytes, headerCount: headerCount, by: privateKey) else { throw .tooLong }
        return token
    }

    /// `bytes`: header and payload. Nil when the token would be too long.
    private static func signed(
        _ bytes: UnsafeRawBufferPointer,
        headerCount: Int,
        by key: Ed25519.PrivateKey
    ) -> String? {
        let signedCount = headerCount + Base64URL.encodedLength(of: bytes.count - headerCount)
        let count = signedCount + 1 + Base64URL.encodedLength(of: Ed25519.signatureLength)
        guard count <= TokenRules.bytesMax else { return nil }
        return String(unsafeUninitializedCapacity: count) { token in
            UnsafeMutableRawBufferPointer(token)
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<headerCount]))
            Base64URL.encode(
                UnsafeRawBufferPointer(rebasing: bytes[headerCount...]),
                into: UnsafeMutableBufferPointer(rebasing: token[headerCount...])
            )
            let signature = key.signature(
                for: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(token)[..<signedCount])
            )
            token[signedCount] = UInt8(ascii: ".")
            signature.withUnsafeBytes {
                _ = Base64URL.encode($0, into: UnsafeMutableBufferPointer(rebasing: token[(signedCount + 1)...]))
            }
            return count
        }
    }

    /// No heap allocation but for the texts of the claims.
    static func verifyTag<Claims: ReadableClaims>(
        _ token: UnsafeRawBufferPointer,
        ring: KeyRing,
        audience: String,
        at now: Int64
    ) throws(TokenFlaw) -> Claims {
        guard token.count <= TokenRules.bytesMax else { throw .tooLong }
        for entry in ring.entries where starts(token, with: entry.verification.headerBytes) {
            guard let tagKey = entry.tagKey, ring.name == Claims.type.keyName else { throw .wrongType }
            let headerCount = entry.verification.headerBytes.count
            let outcome = withUnsafeTemporaryAllocation(byteCount: TokenRules.bytesMax, alignment: 1) { buffer in
                Result { () throws(TokenFlaw) -> Claims in
                    let (payload, signature) = try parts(of: token, headerCount: headerCount)
                    // Not verified here, but well formed: what goes on from here is a token for everybody.
                    guard Base64URL.decode(signature, into: buffer) != nil else { throw .malformed }
                    // The header's bytes go before the decoded payload, so that the tag is over one run of bytes.
                    buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: token[..<headerCount]))
                    let room = UnsafeMutableRawBufferPointer(rebasing: buffer[headerCount...])
                    guard let count = Base64URL.decode(payload, into: room) else { throw .malformed }
                    let sealed = UnsafeRawBufferPointer(rebasing: buffer[..<(headerCount + count)])
                    guard let end = endOfSealedClaims(sealed) else { throw .malformed }
                    guard hasTag(sealed, end: end, key: tagKey) else { throw .badTag }
                    let claims = UnsafeRawBufferPointer(rebasing: sealed[headerCount..<end])
                    return try read(claims, audience: audience, at: now)
                }
            }
            return try outcome.get()
        }
        throw flawOfHeader(token, type: Claims.type)
    }

    static func verifySignature<Claims: TokenClaims>(
        _ token: UnsafeRawBufferPointer,
        keys: [VerificationKey],
        audience: String,
        at now: Int64
    ) throws(TokenFlaw) -> Claims {
        guard token.count <= TokenRules.bytesMax else { throw .tooLong }
        for key in keys where key.name == Claims.type.keyName && starts(token, with: key.headerBytes) {
            let outcome = withUnsafeTemporaryAllocation(byteCount: TokenRules.bytesMax, alignment: 1) { buffer in
                Result { () throws(TokenFlaw) -> Claims in
                    let (payload, signature) = try parts(of: token, headerCount: key.headerBytes.count)
                    guard let length = Base64URL.decode(signature, into: buffer) else { throw .malformed }
                    let signed = UnsafeRawBufferPointer(rebasing: token[..<(key.headerBytes.count + payload.count)])
                    let given = UnsafeRawBufferPointer(rebasing: buffer[..<length])
                    guard key.publicKey.isValid(signature: given, for: signed) else { throw .badSignature }
                    guard let count = Base64URL.decode(payload, into: buffer) else { throw .malformed }
                    let claims = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                    guard let end = Claims.type.isTagged ? endOfSealedClaims(claims) : endOfBareClaims(claims) else {
                        throw .malformed
                    }
                    return try read(UnsafeRawBufferPointer(rebasing: claims[..<end]), audience: audience, at: now)
                }
            }
            return try outcome.get()
        }
        throw flawOfHeader(token, type: Claims.type)
    }

    // MARK: Parts

    private static func starts(_ token: UnsafeRawBufferPointer, with header: [UInt8]) -> Bool {
        guard !header.isEmpty, token.count > header.count else { return false }
        return header.withUnsafeBytes { header in
            guard let left = token.baseAddress, let right = header.baseAddress else { return false }
            return memcmp(left, right, header.count) == 0
        }
    }

    /// Payload and signature by the signature's fixed length. A stray dot is refused when the two are decoded.
    private static func parts(
        of token: UnsafeRawBufferPointer,
        headerCount: Int
    ) throws(TokenFlaw) -> (payload: UnsafeRawBufferPointer, signature: UnsafeRawBufferPointer) {
        let dot = token.count - TokenRules.signatureTextLength - 1
        guard dot > headerCount, token[dot] == UInt8(ascii: ".") else { throw .malformed }
        return (
            UnsafeRawBufferPointer(rebasing: token[headerCount..<dot]),
            UnsafeRawBufferPointer(rebasing: token[(dot + 1)...])
        )
    }

    /// Where the tag member begins, when one in its only form ends the bytes.
    private static func endOfSealedClaims(_ bytes: UnsafeRawBufferPointer) -> Int? {
        let end = bytes.count - TokenRules.tagMemberLength
        guard end > 0 else { return nil }
        var reader = ClaimReader(UnsafeRawBufferPointer(rebasing: bytes[end...]))
        guard reader.take(TokenRules.tagMemberStart), let tag = reader.textBytes(), reader.take("}"),
            tag.count == TokenRules.tagTextLength, reader.isAtEnd
        else { return nil }
        return end
    }

    private static func endOfBareClaims(_ bytes: UnsafeRawBufferPointer) -> Int? {
        bytes.last == UInt8(ascii: "}") ? bytes.count - 1 : nil
    }

    private static func hasTag(_ sealed: UnsafeRawBufferPointer, end: Int, key: KeyedBLAKE2b) -> Bool {
        let start = end + TokenRules.tagMemberStart.utf8CodeUnitCount
        let text = UnsafeRawBufferPointer(rebasing: sealed[start..<(start + TokenRules.tagTextLength)])
        return withUnsafeTemporaryAllocation(byteCount: TokenRules.tagLength, alignment: 1) { tag in
            guard Base64URL.decode(text, into: tag) == TokenRules.tagLength else { return false }
            let message = UnsafeRawBufferPointer(rebasing: sealed[..<end])
            return key.startsTag(of: message, with: UnsafeRawBufferPointer(tag))
        }
    }

    private static func read<Claims: ReadableClaims>(
        _ bytes: UnsafeRawBufferPointer,
        audience: String,
        at now: Int64
    ) throws(TokenFlaw) -> Claims {
        var reader = ClaimReader(bytes)
        let claims = try Claims.read(from: &reader, audience: audience, at: now)
        guard reader.isAtEnd else { throw .malformed }
        return claims
    }

    // MARK: Refusals

    /// Says what is wrong with a header no key of ours begins with; algorithm first, then type, then key.
    private static func flawOfHeader(_ token: UnsafeRawBufferPointer, type: TokenType) -> TokenFlaw {
        guard let dot = token.firstIndex(of: UInt8(ascii: ".")) else { return .malformed }
        let text = String(decoding: token[..<dot], as: UTF8.self)
        guard let header = Base64URL.decode(text) else { return .malformed }
        return header.withUnsafeBytes { header in
            var reader = ClaimReader(header)
            guard reader.take(#"{"alg":""#), let algorithm = reader.text() else { return .malformed }
            guard algorithm == TokenRules.algorithm else { return .wrongAlgorithm }
            guard reader.take(#","kid":""#), reader.textBytes() != nil, reader.take(#","typ":""#),
                let found = reader.text(), reader.take("}"), reader.isAtEnd
            else { return .malformed }
            return found == type.header ? .unknownKey : .wrongType
        }
    }
}
