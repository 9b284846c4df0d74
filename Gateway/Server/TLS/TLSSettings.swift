// The settings of the TLS port and of what the plain port does beside it.
package import NIOCore
package import Operations

package struct TLSSettings: Sendable {
    package var certificateFile: String
    package var keyFile: String
    package var port: Int
    package var handshakeTime: TimeAmount
    package var strictTransport: Duration

    package static let keys: [Settings.Key] = [
        .init(
            "tls-certificate",
            "",
            "certificate chain (PEM, own certificate first), read again on SIGHUP; opens the TLS port"
        ),
        .init("tls-key", "", "key of the certificate (PEM, no passphrase)"),
        .init("tls-port", "8443", "port of TLS; 0 takes a free one"),
        .init("tls-public-port", "0", "port of TLS as visitors know it, when it is mapped; 0: the same"),
        .init("tls-handshake-time", "5s", "how long a handshake may take"),
        .init(
            "tls-strict-transport",
            "0s",
            "how long browsers are to insist on TLS (HSTS), such as 8760h; 0s says nothing"
        ),
        .init("plain", "serve", "the plain port beside TLS: serve, redirect (to TLS; writes are refused) or off"),
    ]

    /// Nil without a certificate.
    package init?(_ settings: Settings) throws {
        let certificate = settings.optional("tls-certificate")
        let key = settings.optional("tls-key")
        let port = try settings.integer("tls-port", in: 0...65_535)
        let handshakeTime = try settings.duration("tls-handshake-time", in: .milliseconds(100)...(.seconds(60)))
        let strictTransport = try settings.duration("tls-strict-transport", in: .seconds(0)...(.seconds(63_072_000)))
        guard certificate != nil || key != nil else { return nil }
        certificateFile = try settings.string("tls-certificate")
        keyFile = try settings.string("tls-key")
        self.port = port
        self.handshakeTime = TimeAmount(handshakeTime)
        self.strictTransport = strictTransport
    }

    package static func plainPort(_ settings: Settings, hasTLS: Bool) throws -> ListenerConfiguration.PlainPort {
        let known = ListenerConfiguration.PlainPort.allCases.map(\.rawValue).joined(separator: ", ")
        guard let plain = ListenerConfiguration.PlainPort(rawValue: try settings.string("plain")) else {
            throw settings.malformed("plain", "one of \(known)")
        }
        guard plain == .serve || hasTLS else { throw settings.malformed("plain", "serve without tls-certificate") }
        return plain
    }
}

extension TLSPort {
    package init(_ settings: TLSSettings, shelf: CertificateShelf) {
        self.init(port: settings.port, shelf: shelf)
        handshakeTime = settings.handshakeTime
        strictTransport = settings.strictTransport
    }
}
