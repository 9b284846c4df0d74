import Signing

/// A signature beside a message that is no token.
package struct DetachedSignature: Sendable, Equatable {
    package var keyID: String
    package var bytes: [UInt8]
}

extension KeyRing {
    /// Signs `purpose`, a zero byte and the message. No token starts so, as a token starts with base64url text.
    /// Nil when the ring only verifies.
    package func detachedSignature(for message: [UInt8], purpose: String) -> DetachedSignature? {
        guard let signer, let privateKey = signer.privateKey else { return nil }
        let signature = privateKey.signature(for: Array(purpose.utf8) + [0] + message)
        return DetachedSignature(keyID: signer.verification.keyID, bytes: signature)
    }
}
