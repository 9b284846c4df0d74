// Why a token was refused. Closed, so that the edge can map each flaw to one status and one problem code.

package enum TokenFlaw: Error, Hashable, Sendable, CaseIterable {
    /// Longer than `TokenRules.bytesMax`.
    case tooLong
    /// Not three canonical base64url parts, or not the header or claims this type of token has, in their order.
    case malformed
    /// Anything but EdDSA; looked at before everything else in the header.
    case wrongAlgorithm
    /// A token of another type, such as a place where a pass is wanted.
    case wrongType
    /// Signed by a key that is not (or no longer) in the ring.
    case unknownKey
    case badTag
    case badSignature
    case wrongIssuer
    /// Made for another room.
    case wrongAudience
    case expired
    /// Issued in the future, by more than `TokenRules.clockSkewMax`.
    case notYetValid
}

/// Why a token could not be made: a fault of the caller, never of a visitor.
package enum TokenFault: Error, Hashable, Sendable {
    /// The ring only verifies.
    case noSigningKey
    /// A text with characters outside printable ASCII, with `"` or `\`, or longer than a claim may be; or a negative
    /// number.
    case unwritableClaim(String)
    case tooLong
}
