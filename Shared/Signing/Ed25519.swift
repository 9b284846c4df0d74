// Ed25519 (RFC 8032) by libsodium: strict verification, which refuses small-order keys and S ≥ L.
import CSodium

package enum Ed25519 {
    package static let seedLength = 32
    package static let publicKeyLength = 32
    package static let signatureLength = 64

    package struct PrivateKey: Sendable {
        /// libsodium's form: the seed, then the public key.
        private let secret: SecretBytes
        package let publicKey: PublicKey

        /// A fresh key from the system's random source.
        package init() throws(SigningFailure) {
            try self.init(seed: SecureRandom.bytes(Ed25519.seedLength))
        }

        /// From the 32 bytes RFC 8032 calls the private key (`d` of a JWK).
        package init(seed: [UInt8]) throws(SigningFailure) {
            _ = Sodium.isReady
            guard seed.count == Ed25519.seedLength else {
                throw .wrongLength(was: seed.count, wanted: Ed25519.seedLength...Ed25519.seedLength)
            }
            var publicBytes = [UInt8](repeating: 0, count: Ed25519.publicKeyLength)
            var secretBytes = [UInt8](repeating: 0, count: Ed25519.seedLength + Ed25519.publicKeyLength)
            crypto_sign_seed_keypair(&publicBytes, &secretBytes, seed)
            defer { sodium_memzero(&secretBytes, secretBytes.count) }
            secret = try SecretBytes(secretBytes)
            publicKey = try PublicKey(bytes: publicBytes)
        }

        /// The 32 bytes to keep; whoever has them can sign.
        package var seed: [UInt8] { Array(secret.bytes.prefix(Ed25519.seedLength)) }

        package func signature(for message: [UInt8]) -> [UInt8] {
            message.withUnsafeBytes { signature(for: $0) }
        }

        package func signature(for message: UnsafeRawBufferPointer) -> [UInt8] {
            [UInt8](unsafeUninitializedCapacity: Ed25519.signatureLength) { signature, count in
                guard let output = signature.baseAddress else { return }
                let start = message.bindMemory(to: UInt8.self).baseAddress
                crypto_sign_detached(output, nil, start, UInt64(message.count), secret.address)
                count = Ed25519.signatureLength
            }
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
