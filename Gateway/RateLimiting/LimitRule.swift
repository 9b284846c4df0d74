/// One limit: for whom it counts, which requests, and how much.
package struct LimitRule: Sendable, Equatable {
    package enum Scope: String, Sendable, CaseIterable {
        case address, account, global
    }

    package var scope: Scope
    /// Nil counts requests of every class.
    package var routeClass: RouteClass?
    package var rate: Rate
    /// Counts and reports, refuses nobody.
    package var isShadow: Bool

    package init(_ scope: Scope, _ routeClass: RouteClass? = nil, _ rate: Rate, isShadow: Bool = false) {
        self.scope = scope
        self.routeClass = routeClass
        self.rate = rate
        self.isShadow = isShadow
    }

    /// `address`, `join-address` …: the same in settings, header fields, metrics and the admin API.
    package var name: String { Self.name(scope, routeClass) }

    package static func name(_ scope: Scope, _ routeClass: RouteClass?) -> String {
        routeClass.map { "\($0.name)-\(scope.rawValue)" } ?? scope.rawValue
    }
}

/// The rules as a grid of scopes and classes, one rule at most in each cell: a request meets the cell of all classes and
/// that of its own in each scope.
struct LimitGrid: Sendable {
    /// All classes, then each class.
    static let columns = 1 + RouteClass.count
    static let cellCount = columns * LimitRule.Scope.allCases.count

    /// Numbers of a rule, laid out for the check. A cell without rule lets everything pass: its interval is zero.
    struct Cell: Sendable {
        var intervalNS: Int64 = 0
        var toleranceNS: Int64 = .max / 4
        var isShadow = false

        /// Nanoseconds to wait before one more request fits; at most 0 when it fits now.
        @inline(__always)
        func excess(_ arrivalNS: Int64, _ nowNS: Int64) -> Int64 {
            start(arrivalNS, nowNS) + intervalNS - nowNS - toleranceNS
        }

        /// The arrival time after one more request.
        @inline(__always)
        func next(_ arrivalNS: Int64, _ nowNS: Int64) -> Int64 { start(arrivalNS, nowNS) + intervalNS }

        /// A rule that was tightened, or a clock that was set back, must not lock anybody out for longer than the rule.
        @inline(__always)
        private func start(_ arrivalNS: Int64, _ nowNS: Int64) -> Int64 {
            min(max(arrivalNS, nowNS), nowNS + toleranceNS)
        }
    }

    /// In place, so that a check counts no references. Its size is `cellCount`.
    private(set) var cells: InlineArray<21, Cell> = .init(repeating: Cell())

    init(_ rules: [LimitRule]) {
        for rule in rules {
            cells[Self.index(rule.scope, rule.routeClass)] = Cell(
                intervalNS: rule.rate.intervalNS,
                toleranceNS: rule.rate.toleranceNS,
                isShadow: rule.isShadow
            )
        }
    }

    static func index(_ scope: LimitRule.Scope, _ routeClass: RouteClass?) -> Int {
        let row =
            switch scope {
            case .address: 0
            case .account: 1
            case .global: 2
            }
        return row * columns + (routeClass.map { 1 + Int($0.rawValue) } ?? 0)
    }
}

extension LimitRule {
    /// The rule's place in verdicts and counts.
    package var index: Int { LimitGrid.index(scope, routeClass) }
    /// Indices are below this.
    package static let indexCount = LimitGrid.cellCount
}

extension LimitRule {
    /// The name of the rule with this index, whether there is one or not.
    package static func name(ofIndex index: Int) -> String {
        let column = index % LimitGrid.columns
        let scope = Scope.allCases[min(index / LimitGrid.columns, Scope.allCases.count - 1)]
        return name(scope, column == 0 ? nil : RouteClass(rawValue: UInt8(column - 1)))
    }
}
