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
    private static let upstreamPerLoopMax = 256

    /// Fits the bound of connections to the limit of open files.
    package mutating func fit(descriptors: Int, logger: Logger) {
        let asked = listener.connectionsMax
        listener.connectionsMax = DescriptorBudget.connectionsMax(
            asked: asked,
            descriptors: descriptors,
            upstreamMax: eventLoopCount * Self.upstreamPerLoopMax
        )
        guard listener.connectionsMax < asked else { return }
        logger.warning(
            "fewer connections than asked for: the limit of open files is too low",
            metadata: [
                "connections": "\(listener.connectionsMax)", "asked": "\(asked)", "open_files": "\(descriptors)",
            ]
        )
    }
}
