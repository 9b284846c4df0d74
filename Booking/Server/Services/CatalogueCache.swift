import Logging
import Ordering
import ServiceLifecycle
import Synchronization

/// The catalogue as this process sees it: read again each second, served from memory.
final class CatalogueCache: Service {
    struct Contents: Sendable {
        var shows: [Show] = []
        var sessions: [Session] = []
        var layouts: [SessionID: SessionLayout] = [:]
        var isLoaded = false
    }

    private let store: any CatalogueStore
    private let interval: Duration
    private let logger: Logger
    private let contents = Mutex(Contents())

    init(store: any CatalogueStore, interval: Duration, logger: Logger) {
        self.store = store
        self.interval = interval
        self.logger = logger
    }

    /// The catalogue has been read once; it may be empty.
    var isLoaded: Bool { contents.withLock { $0.isLoaded } }
    var current: Contents { contents.withLock { $0 } }

    /// A session that is shown to buyers.
    func session(_ id: SessionID) -> Session? {
        contents.withLock { contents in contents.sessions.first { $0.id == id && $0.state.isVisible } }
    }

    func layout(_ id: SessionID) -> SessionLayout? {
        contents.withLock { $0.layouts[id] }
    }

    func show(_ id: ShowID) -> Show? {
        contents.withLock { contents in contents.shows.first { $0.id == id } }
    }

    /// Reads the catalogue again now. A layout never changes once its session is visible, so each is read once.
    func refresh() async throws(StoreFailure) {
        let shows = try await store.shows()
        let sessions = try await store.sessions()
        var layouts = current.layouts
        for session in sessions where layouts[session.id] == nil && session.state.isVisible {
            layouts[session.id] = try await store.layout(of: session.id)
        }
        contents.withLock { $0 = Contents(shows: shows, sessions: sessions, layouts: layouts, isLoaded: true) }
    }

    func run() async throws {
        await Pause.between(rounds: interval) { [self] in
            do throws(StoreFailure) {
                try await refresh()
            } catch {
                logger.warning("catalogue not read", metadata: ["error": "\(error)"])
            }
        }
    }
}
