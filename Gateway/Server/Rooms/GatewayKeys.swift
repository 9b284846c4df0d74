package import QueueTokens

/// The gateway's own keys, read at start, and the key set it publishes.
package struct GatewayKeys: Sendable {
    package let places: KeyRing
    package let passes: KeyRing
    /// Sign the checkpoints of arrival logs.
    package let logs: KeyRing
    package let jwks: [UInt8]

    package init(places: KeyRing, passes: KeyRing, logs: KeyRing) {
        self.places = places
        self.passes = passes
        self.logs = logs
        jwks = JWKS.encode(places.keys.union(passes.keys).union(logs.keys))
    }

    package static func load(from folder: String) throws -> GatewayKeys {
        GatewayKeys(
            places: try KeyRing.load(from: folder, name: .place),
            passes: try KeyRing.load(from: folder, name: .pass),
            logs: try KeyRing.load(from: folder, name: .log)
        )
    }
}
