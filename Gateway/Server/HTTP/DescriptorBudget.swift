package import Logging

/// How many visitors' connections the limit of open files allows.
package enum DescriptorBudget {
    /// Listening sockets, stores, logs, event loops.
    private static let ownMax = 64

    /// `asked` is the setting; 0 asks for as many as there is room for. A tenth of the limit stays free, and what
    /// connections to booking may take.
    package static func connectionsMax(asked: Int, descriptors: Int, upstreamMax: Int) -> Int {
        let room = max(16, descriptors * 9 / 10 - min(upstreamMax, descriptors / 4) - ownMax)
        return asked == 0 ? room : min(asked, room)
    }
}

extension GatewayConfiguration {
    /// With the bound of connections fitted to the limit of open files.
    package func fitted(to descriptors: Int, logger: Logger) -> GatewayConfiguration {
        var fitted = self
        let asked = listener.connectionsMax
        fitted.listener.connectionsMax = DescriptorBudget.connectionsMax(
            asked: asked,
            descriptors: descriptors,
            upstreamMax: eventLoopCount * (upstream.connectionsPerLoopMax + upstream.streamsPerLoopMax)
        )
        if fitted.listener.connectionsMax < asked {
            logger.warning(
                "fewer connections than asked for: the limit of open files is too low",
                metadata: [
                    "connections": "\(fitted.listener.connectionsMax)", "asked": "\(asked)",
                    "open_files": "\(descriptors)",
                ]
            )
        }
        return fitted
    }
}
