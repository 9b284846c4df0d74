// How every Usher service starts and stops.

import Foundation
package import Logging
package import ServiceLifecycle
import UnixSignals

package enum Program {
    /// Answers `--help` and `--check-configuration`, reads the settings, and ends the process with status 2 and one
    /// line when they cannot be used.
    package static func configure<Configuration>(
        name: String,
        purpose: String,
        section: String,
        keys: [Settings.Key],
        make: (Settings) throws -> Configuration
    ) -> Configuration {
        var arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.contains("--help") || arguments.contains("-h") {
            print(Settings.help(program: name, purpose: purpose, section: section, keys: keys))
            exit(0)
        }
        let onlyCheck = arguments.contains("--check-configuration")
        arguments.removeAll { $0 == "--check-configuration" }
        do {
            let settings = try Settings.read(
                section: section,
                keys: keys,
                arguments: arguments,
                environment: ProcessInfo.processInfo.environment
            )
            let configuration = try make(settings)
            if onlyCheck {
                print("\(name): configuration is good")
                exit(0)
            }
            return configuration
        } catch {
            fail(name, error)
        }
    }

    /// Prints one line and ends the process with status 2.
    package static func fail(_ name: String, _ error: any Error) -> Never {
        FileHandle.standardError.write(Data("\(name): \(error)\n".utf8))
        exit(2)
    }

    /// Runs services in start order until SIGTERM or SIGINT, which stops them in reverse order within `drain`.
    package static func run(_ services: [any Service], drain: Duration, logger: Logger) async throws {
        var configuration = ServiceGroupConfiguration(
            services: services.map {
                .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup)
            },
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        configuration.maximumGracefulShutdownDuration = drain
        let group = ServiceGroup(configuration: configuration)
        try await group.run()
    }

    /// Raises the soft limit of open files to the hard one.
    /// - Returns: the limit in force.
    @discardableResult
    package static func raiseDescriptorLimit() -> Int {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return Int(limit.rlim_cur)
    }
}
