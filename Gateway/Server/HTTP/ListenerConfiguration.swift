package import EdgeHTTP

package struct ListenerConfiguration: Sendable {
    package enum PlainPort: String, Sendable, CaseIterable {
        case serve
        /// Says where TLS is, and serves nothing.
        case redirect
        case off
    }

    package var host: String
    /// 0 takes a free one.
    package var port: Int
    package var plain = PlainPort.serve
    package var tls: TLSPort?
    /// The port visitors know for TLS, when it is mapped; nil for the port itself.
    package var tlsPublicPort: Int?
    package var limits = EdgeLimits()
    package var connectionsMax = 20_000
    package var connectionsPerAddressMax = 64
    /// TLS ends in front of the plain port, so that every request there is `https` too.
    package var isSecure = false
    /// How long the listener goes on as before once it is told to stop, while it says so in every reply and on the
    /// readiness page. Part of `drainTime`.
    package var drainLead: Duration = .zero
    /// How long it may take until everything has ended; whoever is left then is cut off.
    package var drainTime: Duration = .seconds(30)

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }
}
