// JSON Web Key Sets (RFC 7517, RFC 8037): how the services publish their public keys and read each other's.
import Foundation
import Signing

package enum JWKS {
    package static let contentType = "application/jwk-set+json"
    package static let bytesMax = 65_536

    package enum Flaw: Error, Hashable, Sendable {
        case tooLong
        case malformed
    }

    /// One key as RFC 8037 writes it; `d` only in a key file.
    struct Key: Codable {
        var kty: String
        var crv: String?
        var x: String?
        var d: String?
        var kid: String?
        var use: String?
        var alg: String?
    }

    struct Document: Codable {
        var keys: [Key]
    }

    /// The document to serve at `/.well-known/jwks.json`.
    package static func encode(_ keys: KeySet) -> [UInt8] {
        let document = Document(keys: keys.keys.map { Key(publicKey: $0.publicKey, keyID: $0.keyID) })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Strings only: there is nothing in it an encoder could refuse.
        return (try? encoder.encode(document)).map { Array($0) } ?? Array(#"{"keys":[]}"#.utf8)
    }

    /// Keys that are not Ed25519, not for signing, or without an id of ours are passed over, as RFC 7517 §5 says.
    package static func decode(_ document: some Collection<UInt8>) throws(Flaw) -> KeySet {
        guard document.count <= bytesMax else { throw .tooLong }
        guard let parsed = try? JSONDecoder().decode(Document.self, from: Data(document)) else { throw .malformed }
        var found: [VerificationKey] = []
        for key in parsed.keys
        where key.use ?? "sig" == "sig" && key.alg ?? TokenRules.algorithm == TokenRules.algorithm {
            guard let keyID = key.kid, let publicKey = key.publicKey, !found.contains(where: { $0.keyID == keyID }),
                let verification = VerificationKey(keyID: keyID, publicKey: publicKey)
            else { continue }
            found.append(verification)
        }
        return KeySet(found)
    }
}

extension JWKS.Key {
    init(publicKey: Ed25519.PublicKey, keyID: String) {
        self.init(
            kty: "OKP",
            crv: "Ed25519",
            x: Base64URL.encode(publicKey.bytes),
            d: nil,
            kid: keyID,
            use: "sig",
            alg: TokenRules.algorithm
        )
    }

    init(privateKey: Ed25519.PrivateKey, keyID: String) {
        self.init(publicKey: privateKey.publicKey, keyID: keyID)
        d = Base64URL.encode(privateKey.seed)
    }

    /// Nil unless this is an Ed25519 key with 32 bytes.
    var publicKey: Ed25519.PublicKey? {
        guard kty == "OKP", crv == "Ed25519", let bytes = x.flatMap(Base64URL.decode) else { return nil }
        return try? Ed25519.PublicKey(bytes: bytes)
    }

    /// Nil when `d` is missing or is not the private half of `x`.
    var privateKey: Ed25519.PrivateKey? {
        guard let publicKey, let seed = d.flatMap(Base64URL.decode),
            let privateKey = try? Ed25519.PrivateKey(seed: seed), privateKey.publicKey == publicKey
        else { return nil }
        return privateKey
    }
}
