import BookingDatabase
import Foundation
import Ordering

/// Fills an empty Usher with the demo catalogue and the tour's waiting room; a second start finds it there.
struct DemoData: Sendable {
    let plan: StackPlan

    private static let loadLimit = Duration.seconds(30)

    private var postgres: String { "host=\(plan.socketFolder)/pg port=5432 user=usher dbname=usher" }

    func prepare() async throws {
        let isNew = try await withStores(postgres) { stores in
            guard try await stores.catalogue.shows().isEmpty else { return false }
            for entry in DemoCatalogue.shows(at: WallClock.now()) {
                try await stores.catalogue.insert(entry.show, sessions: entry.sessions)
            }
            return true
        }
        if isNew { Terminal.say("  demo data            5 shows, 15 sessions, 6,000 seats") }
        try await openRoom(
            DemoCatalogue.tourRoom,
            for: DemoCatalogue.tourSession,
            policy: DemoRoom.policy(perMinute: 600, activeMax: 100, session: DemoCatalogue.tourSession)
        )
    }

    /// A room with its policy at the gateway, and the session that asks for its pass in booking.
    func openRoom(_ room: String, for session: SessionID, policy: String) async throws {
        try await GatewayAdmin(plan: plan).createRoom(room, policy: policy)
        try await withStores(postgres) { try await $0.catalogue.setRoom(room, of: session) }
        try await waitUntilSold(session, through: room)
    }

    /// The first session nobody has bought of, besides the tour's.
    func untouchedSession() async throws -> Session? {
        try await withStores(postgres) { stores in
            for session in try await stores.catalogue.sessions()
            where session.room == nil && session.id != DemoCatalogue.tourSession && session.state.isSelling {
                if try await stores.catalogue.claims(of: session.id).isEmpty { return session }
            }
            return nil
        }
    }

    func setPayWindow(_ window: Duration, of session: SessionID) async throws {
        try await withStores(postgres) { try await $0.catalogue.setPayWindow(window, of: session) }
    }

    func makeAccounts(_ count: Int, tokensFile: String) async throws {
        try await withStores(postgres) { stores in
            try await DemoAccounts(accounts: stores.accounts, keysFolder: plan.keysFolder).make(
                count,
                tokensFile: tokensFile
            )
        }
    }

    /// Booking has the session in memory, with its room, and its seats in Redis.
    private func waitUntilSold(_ session: SessionID, through room: String) async throws {
        let deadline = ContinuousClock.now + Self.loadLimit
        while ContinuousClock.now < deadline {
            if await GatewayAdmin(plan: plan).isOpen(session, room: room) { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw UpFault("session \(session) was not loaded within \(Self.loadLimit): see \(plan.logsFolder)")
    }
}
