import ArgumentParser
import BookingDatabase
import Foundation
import Logging
import Postgres

/// Where a running `usher up` is: read from the file it writes.
struct RunningUsher: ParsableArguments {
    @Option(help: "Data folder of the running usher.")
    var data = ".data"

    struct Facts: Decodable, Sendable {
        var postgres: String
        var redis: String
        var ledger: String
        var keys: String
        var gateway: String
        var admin: String
        var booking: String
        var bookingOperations: String
        var adminTokenFile: String

        private enum CodingKeys: String, CodingKey {
            case postgres, redis, ledger, keys, gateway, admin, booking
            case bookingOperations = "booking_operations"
            case adminTokenFile = "admin_token_file"
        }
    }

    func facts() throws -> Facts {
        let file = data + "/run.json"
        guard let bytes = FileManager.default.contents(atPath: file) else {
            throw UpFault("\(file) is not there: no usher runs with this data folder (give --data)")
        }
        return try JSONDecoder().decode(Facts.self, from: bytes)
    }
}

/// The stores behind one pool of connections.
struct Stores: Sendable {
    let accounts: AccountDatabase
    let catalogue: CatalogueDatabase
}

/// Runs `body` with a connection pool that lives as long.
func withStores<Value: Sendable>(
    _ url: String,
    _ body: @escaping @Sendable (Stores) async throws -> Value
) async throws -> Value {
    var configuration = try PostgresConfiguration(url: url)
    configuration.connectionsMax = 2
    configuration.applicationName = "usher"
    var logger = Logger(label: "usher")
    logger.logLevel = .error
    return try await PostgresPool.withPool(configuration, logger: logger) { pool in
        try await body(Stores(accounts: AccountDatabase(pool: pool), catalogue: CatalogueDatabase(pool: pool)))
    }
}
