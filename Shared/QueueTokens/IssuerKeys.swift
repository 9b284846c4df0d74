// Keys of somebody else who signs entry tickets: any key id, Ed25519 only.
import Foundation
package import Signing

package struct IssuerKeys: Sendable, Hashable {
    package static let keyCountMax = 32
    package static let keyIDBytesMax = 128

    private let keys: [String: Ed25519.PublicKey]

    /// Keys that are not Ed25519, not for signing, or without an id are passed over; of two with one id neither counts.
    package init(jwks document: some Collection<UInt8>) throws(JWKS.Flaw) {
        guard document.count <= JWKS.bytesMax else { throw .tooLong }
        guard let parsed = try? JSONDecoder().decode(JWKS.Document.self, from: Data(document)) else {
            throw .malformed
        }
        var found: [String: Ed25519.PublicKey] = [:]
        var twice: Set<String> = []
        for key in parsed.keys
        where key.use ?? "sig" == "sig" && key.alg ?? TokenRules.algorithm == TokenRules.algorithm {
            guard let keyID = key.kid, (1...Self.keyIDBytesMax).contains(keyID.utf8.count),
                let publicKey = key.publicKey, found.count < Self.keyCountMax
            else { continue }
            if found.updateValue(publicKey, forKey: keyID) != nil { twice.insert(keyID) }
        }
        keys = found.filter { !twice.contains($0.key) }
    }

    package var isEmpty: Bool { keys.isEmpty }

    func key(_ keyID: String) -> Ed25519.PublicKey? { keys[keyID] }
}

/// The private key of an issuer, for issuers that have no software of their own, and for tests.
package struct IssuerKey: Sendable {
    package let keyID: String
    let privateKey: Ed25519.PrivateKey

    /// A fresh key that is kept nowhere.
    package init() throws(SigningFailure) {
        self.init(try Ed25519.PrivateKey())
    }

    private init(_ privateKey: Ed25519.PrivateKey) {
        self.privateKey = privateKey
        keyID = VerificationKey.thumbprint(of: privateKey.publicKey)
    }

    /// Reads the file, mode 0600; makes it when it is not there.
    package static func load(from path: String) throws -> IssuerKey {
        if try PrivateFile.read(path) == nil {
            let fresh = try IssuerKey()
            let document = try JSONEncoder().encode(JWKS.Key(privateKey: fresh.privateKey, keyID: fresh.keyID))
            _ = try PrivateFile.create(path, Array(document))
        }
        guard let bytes = try PrivateFile.read(path),
            let key = try? JSONDecoder().decode(JWKS.Key.self, from: Data(bytes)), let privateKey = key.privateKey
        else { throw KeyFileFault(path: path, reason: "is not a private Ed25519 JWK") }
        return IssuerKey(privateKey)
    }

    /// The public half, as a key set to publish.
    package var jwks: [UInt8] {
        let document = JWKS.Document(keys: [JWKS.Key(publicKey: privateKey.publicKey, keyID: keyID)])
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(document)).map { Array($0) } ?? []
    }
}
