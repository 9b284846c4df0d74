import Foundation
import Supervision
import Testing

@Suite struct PrivatePostgresTests {
    @Test func `a socket path that is too long is refused with its length`() async throws {
        let configuration = PrivatePostgres.Configuration(
            dataFolder: "/tmp/usher-never",
            socketFolder: "/tmp/" + String(repeating: "s", count: 100),
            logFile: "/dev/null"
        )
        let failure = await #expect(throws: SupervisionFailure.self) { try await PrivatePostgres.start(configuration) }
        #expect("\(try #require(failure))".contains("107"))
        #expect(!FileManager.default.fileExists(atPath: "/tmp/usher-never"))
    }
}
