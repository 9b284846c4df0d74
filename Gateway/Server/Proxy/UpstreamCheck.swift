// Asks a service for a sign of life: a connection, or a page that says it is well.
import NIOCore
import NIOPosix

enum UpstreamCheck {
    /// Fails when the service cannot be reached in time or its page is not 200.
    static func run(
        _ address: ServiceAddress,
        _ configuration: UpstreamConfiguration,
        on loop: any EventLoop
    ) -> EventLoopFuture<Void> {
        if let path = configuration.checkPath {
            let fetch = PlainFetch(group: loop, deadline: configuration.checkInterval)
            return fetch.begin(address, path, on: loop).map { _ in }
        }
        return ClientBootstrap(group: loop)
            .connectTimeout(configuration.connectTime)
            .connect(host: address.host, port: address.port)
            .map { $0.close(promise: nil) }
    }
}
