// The payloads, member by member. Reading and writing stand together so that they cannot drift apart.

/// The claims every token starts with.
struct Envelope {
    var issuer: String
    var audience: String
    var issuedAt: Int64
    var expiresAt: Int64
    var tokenID: String

    func write(into writer: inout ClaimWriter) {
        writer.put(#"{"iss":""#, text: issuer)
        writer.put(#","aud":""#, text: audience)
        writer.put(#","iat":"#, number: issuedAt)
        writer.put(#","exp":"#, number: expiresAt)
        writer.put(#","jti":""#, text: tokenID)
    }

    /// Refuses a wrong issuer, audience or time. The audience given is the one kept, so that no text is built for it.
    static func read(
        from reader: inout ClaimReader,
        type: TokenType,
        audience: String,
        at now: Int64
    ) throws(TokenFlaw) -> Envelope {
        let glance = try EnvelopeGlance.read(from: &reader, type: type, audience: audience, at: now)
        return Envelope(
            issuer: type.issuer,
            audience: audience,
            issuedAt: glance.issuedAt,
            expiresAt: glance.expiresAt,
            tokenID: String(decoding: glance.tokenID, as: UTF8.self)
        )
    }
}

/// What is checked of an envelope, with no text built.
struct EnvelopeGlance {
    var issuedAt: Int64
    var expiresAt: Int64
    var tokenID: UnsafeRawBufferPointer

    static func read(
        from reader: inout ClaimReader,
        type: TokenType,
        audience: String,
        at now: Int64
    ) throws(TokenFlaw) -> EnvelopeGlance {
        guard reader.take(#"{"iss":""#), let issuer = reader.textBytes() else { throw .malformed }
        guard reader.take(#","aud":""#), let audienceFound = reader.textBytes() else { throw .malformed }
        guard reader.take(#","iat":"#), let issuedAt = reader.number() else { throw .malformed }
        guard reader.take(#","exp":"#), let expiresAt = reader.number() else { throw .malformed }
        guard reader.take(#","jti":""#), let tokenID = reader.textBytes() else { throw .malformed }
        guard issuer.elementsEqual(type.issuer.utf8) else { throw .wrongIssuer }
        guard audienceFound.elementsEqual(audience.utf8) else { throw .wrongAudience }
        guard issuedAt <= now + TokenRules.clockSkewMax else { throw .notYetValid }
        guard now < expiresAt, issuedAt < expiresAt else { throw .expired }
        return EnvelopeGlance(issuedAt: issuedAt, expiresAt: expiresAt, tokenID: tokenID)
    }
}

/// What can be read from the part of a payload before the tag (or the closing brace).
protocol ReadableClaims {
    static var type: TokenType { get }
    static func read(from reader: inout ClaimReader, audience: String, at now: Int64) throws(TokenFlaw) -> Self
}

/// A type of token that can be read from and written to that part.
protocol TokenClaims: ReadableClaims {
    var envelope: Envelope { get }
    init?(_ envelope: Envelope, reading reader: inout ClaimReader)
    func writeOwnClaims(into writer: inout ClaimWriter)
}

extension TokenClaims {
    static func read(from reader: inout ClaimReader, audience: String, at now: Int64) throws(TokenFlaw) -> Self {
        let envelope = try Envelope.read(from: &reader, type: type, audience: audience, at: now)
        guard let claims = Self(envelope, reading: &reader) else { throw .malformed }
        return claims
    }
}

extension PlaceGlance: ReadableClaims {
    static var type: TokenType { .place }

    static func read(from reader: inout ClaimReader, audience: String, at now: Int64) throws(TokenFlaw) -> Self {
        let envelope = try EnvelopeGlance.read(from: &reader, type: type, audience: audience, at: now)
        guard reader.take(#","place":"#), let place = reader.number(), reader.take(#","sub":""#),
            reader.textBytes() != nil, reader.take(#","arr":"#), reader.number() != nil,
            reader.take(#","cohort":""#), PlaceToken.Cohort(reading: &reader) != nil,
            reader.take(#","gen":"#), let generation = reader.number(), reader.take(#","pol":""#),
            reader.textBytes() != nil
        else { throw .malformed }
        return PlaceGlance(
            place: place,
            generation: generation,
            issuedAt: envelope.issuedAt,
            expiresAt: envelope.expiresAt
        )
    }
}

extension PlaceToken: TokenClaims {
    static var type: TokenType { .place }

    var envelope: Envelope {
        Envelope(
            issuer: Self.type.issuer,
            audience: room,
            issuedAt: issuedAt,
            expiresAt: expiresAt,
            tokenID: tokenID
        )
    }

    init?(_ envelope: Envelope, reading reader: inout ClaimReader) {
        guard reader.take(#","place":"#), let place = reader.number(),
            reader.take(#","sub":""#), let subject = reader.text(),
            reader.take(#","arr":"#), let arrivedAtMS = reader.number(),
            reader.take(#","cohort":""#), let cohort = Cohort(reading: &reader),
            reader.take(#","gen":"#), let generation = reader.number(),
            reader.take(#","pol":""#), let policy = reader.text()
        else { return nil }
        self.init(
            room: envelope.audience,
            subject: subject,
            place: place,
            arrivedAtMS: arrivedAtMS,
            cohort: cohort,
            generation: generation,
            policy: policy,
            tokenID: envelope.tokenID,
            issuedAt: envelope.issuedAt,
            expiresAt: envelope.expiresAt
        )
    }

    func writeOwnClaims(into writer: inout ClaimWriter) {
        writer.put(#","place":"#, number: place)
        writer.put(#","sub":""#, text: subject)
        writer.put(#","arr":"#, number: arrivedAtMS)
        writer.put(#","cohort":""#, text: cohort.rawValue)
        writer.put(#","gen":"#, number: generation)
        writer.put(#","pol":""#, text: policy)
    }
}

extension PlaceToken.Cohort {
    fileprivate init?(reading reader: inout ClaimReader) {
        if reader.take(#"live""#) {
            self = .live
        } else if reader.take(#"pre""#) {
            self = .pre
        } else {
            return nil
        }
    }
}

extension PassToken: TokenClaims {
    static var type: TokenType { .pass }

    var envelope: Envelope {
        Envelope(
            issuer: Self.type.issuer,
            audience: room,
            issuedAt: issuedAt,
            expiresAt: expiresAt,
            tokenID: tokenID
        )
    }

    init?(_ envelope: Envelope, reading reader: inout ClaimReader) {
        guard reader.take(#","pid":""#), let passID = reader.text(),
            reader.take(#","sub":""#), let subject = reader.text()
        else { return nil }
        var account: String?
        if reader.take(#","acct":""#) {
            account = reader.text()
            guard account != nil else { return nil }
        }
        guard reader.take(#","place":"#), let place = reader.number(),
            reader.take(#","cap":"#), let endsAt = reader.number(),
            reader.take(#","gen":"#), let generation = reader.number()
        else { return nil }
        self.init(
            room: envelope.audience,
            passID: passID,
            subject: subject,
            account: account,
            place: place,
            endsAt: endsAt,
            generation: generation,
            tokenID: envelope.tokenID,
            issuedAt: envelope.issuedAt,
            expiresAt: envelope.expiresAt
        )
    }

    func writeOwnClaims(into writer: inout ClaimWriter) {
        writer.put(#","pid":""#, text: passID)
        writer.put(#","sub":""#, text: subject)
        if let account { writer.put(#","acct":""#, text: account) }
        writer.put(#","place":"#, number: place)
        writer.put(#","cap":"#, number: endsAt)
        writer.put(#","gen":"#, number: generation)
    }
}

extension AccountToken: TokenClaims {
    static var type: TokenType { .account }

    var envelope: Envelope {
        Envelope(
            issuer: Self.type.issuer,
            audience: TokenType.accountAudience,
            issuedAt: issuedAt,
            expiresAt: expiresAt,
            tokenID: tokenID
        )
    }

    init?(_ envelope: Envelope, reading reader: inout ClaimReader) {
        guard reader.take(#","sub":""#), let userID = reader.text(),
            reader.take(#","role":""#), let role = reader.text()
        else { return nil }
        self.init(
            userID: userID,
            role: role,
            tokenID: envelope.tokenID,
            issuedAt: envelope.issuedAt,
            expiresAt: envelope.expiresAt
        )
    }

    func writeOwnClaims(into writer: inout ClaimWriter) {
        writer.put(#","sub":""#, text: userID)
        writer.put(#","role":""#, text: role)
    }
}
