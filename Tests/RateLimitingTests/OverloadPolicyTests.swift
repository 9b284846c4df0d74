import RateLimiting
import Testing

struct OverloadPolicyTests {
    private typealias Measurement = OverloadPolicy.Measurement

    private static let calm = Measurement(lagMS: 1, memory: 0.2)

    @Test(arguments: [
        (0.0, OverloadLevel.normal), (0.849, .normal), (0.85, .keepAlives), (0.919, .keepAlives), (0.92, .joins),
        (0.93, .polls), (0.94, .reads), (0.949, .reads), (0.95, .connections), (2, .connections),
    ])
    func `memory sets the level at once`(_ memory: Double, _ level: OverloadLevel) {
        var policy = OverloadPolicy()
        #expect(policy.take(Measurement(lagMS: 0, memory: memory)) == level)
    }

    @Test(arguments: [
        (49.0, OverloadLevel.normal), (50, .keepAlives), (99, .keepAlives), (100, .joins), (200, .polls), (400, .reads),
        (800, .connections), (60_000, .connections),
    ])
    func `lag sets the level when it lasts`(_ lag: Double, _ level: OverloadLevel) {
        var policy = OverloadPolicy()
        #expect(policy.take(Measurement(lagMS: lag, memory: 0)) == .normal)
        #expect(policy.take(Measurement(lagMS: lag, memory: 0)) == level)
    }

    @Test func `one long turn is no overload, and of two the shorter counts`() {
        var policy = OverloadPolicy()
        for lag in [5_000.0, 1, 5_000, 1, 5_000, 60] {
            let level = policy.take(Measurement(lagMS: lag, memory: 0))
            #expect(level == (lag == 60 ? .keepAlives : .normal))
        }
    }

    @Test func `the first lag of the scale is a setting`() {
        var policy = OverloadPolicy(OverloadPolicy.Thresholds(lagMS: 10))
        _ = policy.take(Measurement(lagMS: 45, memory: 0))
        #expect(policy.take(Measurement(lagMS: 45, memory: 0)) == .polls)
    }

    @Test func `it goes down level by level, each after calm that lasts`() {
        var policy = OverloadPolicy()
        _ = policy.take(Measurement(lagMS: 0, memory: 0.99))
        let levels = (0..<24).map { _ in policy.take(Self.calm).rawValue }
        #expect(levels == [5, 5, 5, 4, 4, 4, 4, 3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0, 0])
    }

    @Test(arguments: [(0.94, 5.0), (0.931, 5), (0.2, 641)])
    func `near its threshold a level stays`(_ memory: Double, _ lag: Double) {
        var policy = OverloadPolicy()
        _ = policy.take(Measurement(lagMS: 0, memory: 0.95))
        for _ in 0..<50 { #expect(policy.take(Measurement(lagMS: lag, memory: memory)) == .connections) }
    }

    @Test func `calm that is interrupted begins anew`() {
        var policy = OverloadPolicy()
        _ = policy.take(Measurement(lagMS: 0, memory: 0.85))
        for _ in 0..<10 {
            for _ in 0..<3 { #expect(policy.take(Self.calm) == .keepAlives) }
            #expect(policy.take(Measurement(lagMS: 0, memory: 0.84)) == .keepAlives)
        }
    }

    @Test func `what is given up comes in this order, and who pays never`() {
        for level in OverloadLevel.allCases {
            #expect(level.sheds(.join) == (level.rawValue >= 2))
            #expect(level.sheds(.poll) == (level.rawValue >= 3))
            #expect(level.sheds(.read) == (level.rawValue >= 4))
            #expect(!level.sheds(.vital))
            #expect(!level.endsConnection(after: .vital))
            #expect(level.endsConnection(after: .poll) == (level > .normal))
        }
    }
}
