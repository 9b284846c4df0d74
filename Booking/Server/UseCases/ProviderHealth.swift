import Ordering
import Synchronization

/// How often the provider failed to answer lately: an exponential average over about fifty calls.
final class ProviderHealth: Sendable {
    private static let weight = 0.02
    private let rate = Mutex(0.0)

    var errorRate: Double { rate.withLock { $0 } }

    func record(_ answer: ProviderAnswer) {
        let failed =
            switch answer {
            case .notSent, .unknown, .tooMany: 1.0
            case .state, .declined, .refused: 0.0
            }
        rate.withLock { $0 += (failed - $0) * Self.weight }
    }
}
