// Ed25519 (RFC 8032). libsodium verifies: strictly, it refuses small-order keys and S ≥ L. BoringSSL, by way of
// swift-crypto, signs: the signature is the same, and takes three quarters of the time.
import CSodium
import Crypto
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

package enum Ed25519 {
    package static let seedLength = 32
    package static let publicKeyLength = 32
    package static let signatureLength = 64

    package struct PrivateKey: Sendable {
        private let key: Curve25519.Signing.PrivateKey
        package let publicKey: PublicKey

        /// A fresh key from the system's random source.
        package init() throws(SigningFailure) {
            try self.init(seed: SecureRandom.bytes(Ed25519.seedLength))
        }

        /// From the 32 bytes RFC 8032 calls the private key (`d` of a JWK).
        package init(seed: [UInt8]) throws(SigningFailure) {
            guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed) else {
                throw .wrongLength(was: seed.count, wanted: Ed25519.seedLength...Ed25519.seedLength)
            }
            self.key = key
            publicKey = try PublicKey(bytes: Array(key.publicKey.rawRepresentation))
        }

        /// The 32 bytes to keep; whoever has them can sign.
        package var seed: [UInt8] { Array(key.rawRepresentation) }

        /// 64 bytes.
        package func signature(for message: [UInt8]) -> [UInt8] {
            message.withUnsafeBytes { signature(for: $0) }
        }

        package func signature(for message: UnsafeRawBufferPointer) -> [UInt8] {
            guard let signature = try? key.signature(for: message) else {
                preconditionFailure("a signature of any bytes can be made")
            }
            return Array(signature)
        }
    }

    package struct PublicKey: Sendable, Hashable {
        package let bytes: [UInt8]

        package init(bytes: [UInt8]) throws(SigningFailure) {
            _ = Sodium.isReady
            guard bytes.count == Ed25519.publicKeyLength else {
                throw .wrongLength(was: bytes.count, wanted: Ed25519.publicKeyLength...Ed25519.publicKeyLength)
            }
            self.bytes = bytes
        }

        package func isValid(signature: [UInt8], for message: [UInt8]) -> Bool {
            signature.withUnsafeBytes { signature in message.withUnsafeBytes { isValid(signature: signature, for: $0) }
            }
        }

        /// False for a signature of another length, too.
        package func isValid(signature: UnsafeRawBufferPointer, for message: UnsafeRawBufferPointer) -> Bool {
            guard signature.count == Ed25519.signatureLength,
                let signatureStart = signature.bindMemory(to: UInt8.self).baseAddress
            else { return false }
            let messageStart = message.bindMemory(to: UInt8.self).baseAddress
            return crypto_sign_verify_detached(signatureStart, messageStart, UInt64(message.count), bytes) == 0
        }
    }
}
