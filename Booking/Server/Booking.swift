import Logging
import NIOCore
import Operations

@main
enum Booking {
    static func main() async {
        let configuration = Program.configure(
            name: "usher-booking",
            purpose: "Sells seats: catalogue, holds, orders, payments, tickets.",
            section: BookingConfiguration.section,
            keys: BookingConfiguration.settings,
            make: BookingConfiguration.init
        )
        JSONLog.bootstrap(level: configuration.logLevel)
        Program.raiseDescriptorLimit()
        FreedMemory.keep()
        if configuration.eventLoops > 0 { NIOSingletons.groupLoopCountSuggestion = configuration.eventLoops }
        do {
            let wiring = try await Wiring(configuration)
            try await wiring.migrator.run()
            try await Program.run(wiring.services, drain: .seconds(30), logger: wiring.logger)
        } catch {
            Program.fail("usher-booking", error)
        }
    }
}
