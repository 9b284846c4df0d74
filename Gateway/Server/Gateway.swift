// usher-gateway: takes the crowd of an on-sale, lines it up, lets it in at the pace the shop can bear.
import Logging
import NIOCore
import Operations

@main
struct Gateway {
    static func main() async {
        let configuration = Program.configure(
            name: "usher-gateway",
            purpose: "The visitors' side of Usher: limits, waiting rooms, and the way to booking.",
            section: "gateway",
            keys: GatewayConfiguration.keys,
            make: GatewayConfiguration.init
        )
        ProcessMemory.returnLargeBlocks()
        JSONLog.bootstrap(level: configuration.logLevel)
        let logger = Logger(label: "usher-gateway")
        do {
            let wiring = try await Wiring(configuration, logger: logger)
            try await Program.run(wiring.services, drain: configuration.drainTime + .seconds(5), logger: logger)
            try await wiring.group.shutdownGracefully()
        } catch {
            Program.fail("usher-gateway", error)
        }
    }
}
