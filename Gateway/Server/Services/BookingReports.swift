// Asks booking what can still be had of a session.
import Foundation
package import UsherAPI

/// What can still be had of all sessions of a room.
package protocol AdmissionReports: Sendable {
    func report(session: String) async throws -> AdmissionReport
}

package struct BookingReports: AdmissionReports {
    private let fetch: PlainFetch
    private let addresses: [ServiceAddress]

    package init(fetch: PlainFetch, addresses: [ServiceAddress]) {
        self.fetch = fetch
        self.addresses = addresses
    }

    package func report(session: String) async throws -> AdmissionReport {
        let bytes = try await fetch.get(anyOf: addresses, Path.admission(session))
        return try JSONDecoder().decode(AdmissionReport.self, from: Foundation.Data(bytes))
    }
}
