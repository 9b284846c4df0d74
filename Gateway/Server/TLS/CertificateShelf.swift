// The certificate that handshakes take, and how a new one comes on the shelf while the gateway runs.
package import Foundation
package import Logging
import NIOSSL
package import Operations
import ServiceLifecycle
import Synchronization
import UnixSignals

/// Connections that are open keep the certificate they began with.
package final class CertificateShelf: Sendable {
    private let certificateFile: String
    private let keyFile: String
    private let current: Mutex<ServerCertificate>
    private let expiry: Gauge
    private let logger: Logger

    package convenience init(_ settings: TLSSettings, metrics: MetricsRegistry, logger: Logger) throws {
        try self.init(
            certificateFile: settings.certificateFile,
            keyFile: settings.keyFile,
            metrics: metrics,
            logger: logger
        )
    }

    package init(certificateFile: String, keyFile: String, metrics: MetricsRegistry, logger: Logger) throws {
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.logger = logger
        let certificate = try ServerCertificate(certificateFile: certificateFile, keyFile: keyFile)
        current = Mutex(certificate)
        expiry = metrics.gauge(
            "usher_gateway_tls_certificate_expires",
            "When the certificate in use expires, in seconds since 1970."
        )
        note(certificate)
    }

    var context: NIOSSLContext { current.withLock { $0.context } }
    package var validUntil: Date { current.withLock { $0.validUntil } }

    /// Takes what the files hold now. Files that cannot be used change nothing.
    /// - Returns: whether a certificate was taken.
    @discardableResult
    package func reload() -> Bool {
        do throws(CertificateFault) {
            let fresh = try ServerCertificate(certificateFile: certificateFile, keyFile: keyFile)
            current.withLock { $0 = fresh }
            logger.notice("certificate reloaded", metadata: ["valid_until": "\(fresh.validUntil.formatted(.iso8601))"])
            note(fresh)
            return true
        } catch {
            logger.error("certificate not reloaded, the old one stays", metadata: ["reason": "\(error)"])
            return false
        }
    }

    private func note(_ certificate: ServerCertificate) {
        expiry.set(certificate.validUntil.timeIntervalSince1970)
        if let warning = certificate.warning(at: Date()) {
            logger.warning("\(warning)", metadata: ["file": "\(certificateFile)"])
        }
    }
}

/// Reads the certificate again at each SIGHUP. Without TLS the signal is ignored, so that it ends no gateway.
package struct CertificateReloader: Service {
    private let shelf: CertificateShelf?
    private let logger: Logger

    package init(shelf: CertificateShelf?, logger: Logger) {
        self.shelf = shelf
        self.logger = logger
    }

    package func run() async throws {
        let hangups = await UnixSignalsSequence(trapping: .sighup)
        await cancelWhenGracefulShutdown {
            for await _ in hangups {
                if let shelf { shelf.reload() } else { logger.notice("SIGHUP: there is nothing to read again") }
            }
        }
    }
}
