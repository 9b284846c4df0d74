// A certificate chain with its key, read from two files and ready for handshakes.
package import Foundation
import NIOCore
import NIOSSL

package struct ServerCertificate: Sendable {
    /// Files beyond this are none of ours.
    static let fileBytesMax = 256 * 1024
    static let chainMax = 16

    let context: NIOSSLContext
    package let validFrom: Date
    package let validUntil: Date

    package init(certificateFile: String, keyFile: String) throws(CertificateFault) {
        let chain = try Self.chain(certificateFile)
        let key = try Self.key(keyFile)
        guard let first = chain.first else { throw .noCertificate(file: certificateFile) }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(key)
        )
        configuration.minimumTLSVersion = .tlsv12
        configuration.cipherSuites = Self.cipherSuites
        configuration.curves = [.x25519_MLKEM768, .x25519, .secp256r1, .secp384r1]
        configuration.applicationProtocols = ["http/1.1"]
        configuration.renegotiationSupport = .none
        // How long a visitor may take to say goodbye after we have.
        configuration.shutdownTimeout = .seconds(1)
        do {
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw .mismatch(certificate: certificateFile, key: keyFile)
        }
        validFrom = Date(timeIntervalSince1970: TimeInterval(first.notValidBefore))
        validUntil = Date(timeIntervalSince1970: TimeInterval(first.notValidAfter))
    }

    /// For TLS 1.2: forward secrecy and authenticated encryption only. Those of TLS 1.3 are all so.
    private static let cipherSuites = [
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
    ].joined(separator: ":")

    private static func chain(_ file: String) throws(CertificateFault) -> [NIOSSLCertificate] {
        let bytes = try content(file)
        guard let chain = try? NIOSSLCertificate.fromPEMBytes(bytes), !chain.isEmpty, chain.count <= chainMax else {
            throw .noCertificate(file: file)
        }
        return chain
    }

    private static func key(_ file: String) throws(CertificateFault) -> NIOSSLPrivateKey {
        let bytes = try content(file)
        // A key with a passphrase cannot be opened: nobody is there to be asked.
        guard let key = try? NIOSSLPrivateKey(bytes: bytes, format: .pem, passphraseCallback: { $0([UInt8]()) }) else {
            throw .noKey(file: file)
        }
        return key
    }

    private static func content(_ file: String) throws(CertificateFault) -> [UInt8] {
        guard FileManager.default.fileExists(atPath: file) else { throw .missing(file: file) }
        guard let handle = FileHandle(forReadingAtPath: file) else { throw .unreadable(file: file) }
        defer { try? handle.close() }
        do {
            let bytes = try handle.read(upToCount: fileBytesMax + 1) ?? Data()
            guard bytes.count <= fileBytesMax else { throw CertificateFault.unreadable(file: file) }
            return Array(bytes)
        } catch {
            throw .unreadable(file: file)
        }
    }

    /// What an operator should know, though it keeps nothing from starting.
    package func warning(at now: Date, soon: TimeInterval = 14 * 86_400) -> String? {
        if now < validFrom { return "the certificate is not valid before \(validFrom.formatted(.iso8601))" }
        if now >= validUntil { return "the certificate expired on \(validUntil.formatted(.iso8601))" }
        guard validUntil.timeIntervalSince(now) < soon else { return nil }
        return "the certificate expires on \(validUntil.formatted(.iso8601))"
    }
}

/// Why a certificate cannot be used, in one line that names the file.
package enum CertificateFault: Error, Equatable, CustomStringConvertible {
    case missing(file: String)
    case unreadable(file: String)
    case noCertificate(file: String)
    case noKey(file: String)
    case mismatch(certificate: String, key: String)

    package var description: String {
        switch self {
        case .missing(let file): "TLS: there is no file \(file)"
        case .unreadable(let file): "TLS: \(file) cannot be read"
        case .noCertificate(let file):
            "TLS: \(file) is not a chain of 1 to \(ServerCertificate.chainMax) certificates (PEM)"
        case .noKey(let file): "TLS: \(file) is not a private key without passphrase (PEM)"
        case .mismatch(let certificate, let key):
            "TLS: the key in \(key) does not belong to the first certificate in \(certificate)"
        }
    }
}
