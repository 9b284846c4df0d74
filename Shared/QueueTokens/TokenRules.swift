// What all our tokens have in common.

package enum TokenRules {
    /// A whole compact token.
    package static let bytesMax = 1024
    /// One text inside a token.
    package static let claimBytesMax = 128
    /// How far into the future, in seconds, another machine's clock may have issued a token.
    package static let clockSkewMax: Int64 = 30
    /// Kept of the 32-byte BLAKE2b output.
    package static let tagLength = 16

    static let signatureTextLength = 86
    /// `,"tag":"` + 22 characters + `"}`: the end of every tagged payload.
    static let tagMemberLength = 32
    static let tagTextLength = 22
    static let tagMemberStart: StaticString = #","tag":""#
    static let algorithm = "EdDSA"
}

/// One type of token: what its header says, who issues it, and the name of the keys that may sign it.
package enum TokenType: String, Sendable, CaseIterable {
    case place
    case pass
    case account

    /// The header's `typ`.
    package var header: String {
        switch self {
        case .place: "usher-place+jwt"
        case .pass: "usher-pass+jwt"
        case .account: "usher-account+jwt"
        }
    }

    /// The claim `iss`.
    package var issuer: String {
        switch self {
        case .place, .pass: TokenType.gatewayIssuer
        case .account: TokenType.bookingIssuer
        }
    }

    package static let gatewayIssuer = "usher-gateway"
    package static let bookingIssuer = "usher-booking"
    /// The claim `aud` of every account token; place and pass have the room there.
    package static let accountAudience = "usher"

    /// Place and pass carry the second seal.
    package var isTagged: Bool { self != .account }

    var keyName: KeyName {
        switch self {
        case .place: .place
        case .pass: .pass
        case .account: .account
        }
    }
}

/// What a key signs. It is the first part of every key id (`pass-4f…`), so that a key can never seal another type.
package enum KeyName: String, Sendable, CaseIterable {
    case place
    case pass
    case account
    case ticket
    /// Signs checkpoints of arrival logs, no tokens.
    case log

    var tokenType: TokenType? { TokenType(rawValue: rawValue) }
    var isTagged: Bool { tokenType?.isTagged ?? false }

    init?(keyID: some StringProtocol) {
        guard let dash = keyID.firstIndex(of: "-") else { return nil }
        self.init(rawValue: String(keyID[..<dash]))
    }
}
