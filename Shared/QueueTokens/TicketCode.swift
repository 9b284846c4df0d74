// The text of a ticket's QR code: who may enter what, checkable at a door without network.
//
// 43 bytes, all numbers big-endian: version (1, = 1) · first bytes of the key's RFC 7638 thumbprint (4) · session (16) ·
// ticket (16) · generation (2) · valid until, in seconds since 1970 (4). Then 64 bytes Ed25519 over `usher/ticket/v1`
// and these 43 bytes. All of it in Base45 (RFC 9285): 161 characters of a QR code's alphanumeric mode. Every length is
// fixed, so that there is no length to lie about.
package import Signing

package struct TicketCode: Sendable, Hashable {
    package static let textLength = 161

    package var session: UUIDv7
    package var ticket: UUIDv7
    /// Grows when a ticket is transferred or issued anew; older generations are void.
    package var generation: UInt16
    package var validUntil: UInt32

    package init(session: UUIDv7, ticket: UUIDv7, generation: UInt16, validUntil: UInt32) {
        self.session = session
        self.ticket = ticket
        self.generation = generation
        self.validUntil = validUntil
    }

    /// The signed text, by the signing key of the `ticket` ring.
    package func encode(with ring: KeyRing) throws(TokenFault) -> String {
        guard ring.name == .ticket, let signer = ring.signer, let privateKey = signer.privateKey else {
            throw .noSigningKey
        }
        let packed = packed(for: signer.verification)
        return Base45.encode(packed + privateKey.signature(for: Self.context + packed))
    }

    /// Refuses another session's ticket as `wrongAudience`. Whether the ticket was used, revoked or has a newer
    /// generation is for the caller's lists.
    package static func verify(
        _ text: String,
        with keys: KeySet,
        session: UUIDv7,
        at now: Int64
    ) throws(TokenFlaw) -> TicketCode {
        let code = try verify(text, with: keys, at: now)
        guard code.session == session else { throw .wrongAudience }
        return code
    }

    package static func verify(_ text: String, with keys: KeySet, at now: Int64) throws(TokenFlaw) -> TicketCode {
        guard text.utf8.count <= textLength else { throw .tooLong }
        guard text.utf8.count == textLength, let bytes = Base45.decode(text),
            bytes.count == packedLength + Ed25519.signatureLength
        else { throw .malformed }
        guard bytes[0] == version else { throw .wrongType }
        let packed = Array(bytes.prefix(packedLength))
        let signature = Array(bytes.dropFirst(packedLength))
        let candidates = keys.keys.filter { $0.name == .ticket && shortID(of: $0) == Array(packed[1..<5]) }
        guard !candidates.isEmpty else { throw .unknownKey }
        guard candidates.contains(where: { $0.publicKey.isValid(signature: signature, for: context + packed) }) else {
            throw .badSignature
        }
        guard let session = UUIDv7(bytes: packed[5..<21]), let ticket = UUIDv7(bytes: packed[21..<37]) else {
            throw .malformed
        }
        let code = TicketCode(
            session: session,
            ticket: ticket,
            generation: UInt16(packed[37]) << 8 | UInt16(packed[38]),
            validUntil: packed[39..<43].reduce(0) { $0 << 8 | UInt32($1) }
        )
        guard now < Int64(code.validUntil) else { throw .expired }
        return code
    }

    private static let version: UInt8 = 1
    private static let packedLength = 43
    private static let context = Array("usher/ticket/v1".utf8)

    private func packed(for key: VerificationKey) -> [UInt8] {
        var bytes = [Self.version] + Self.shortID(of: key) + session.bytes + ticket.bytes
        bytes += [UInt8(generation >> 8), UInt8(generation & 0xff)]
        bytes += stride(from: 24, through: 0, by: -8).map { UInt8(validUntil >> UInt32($0) & 0xff) }
        return bytes
    }

    private static func shortID(of key: VerificationKey) -> [UInt8] {
        Array((Base64URL.decode(VerificationKey.thumbprint(of: key.publicKey)) ?? []).prefix(4))
    }
}
