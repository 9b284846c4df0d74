/// How far down the line the seats will last. Pure.
///
/// Visitors that can still be served = seats left ÷ seats a visitor takes on average, less half of those who are inside or
/// may still claim (whoever stays inside long is less likely to buy). Divided by (1 − no-show) that is a count of ranks.
package struct StockOutlook: Sendable, Equatable {
    /// What is assumed of a visitor before anybody came back: few buy, so that few are discouraged.
    package static let seatsPerVisitorAssumed = 0.25
    /// How many visitors that assumption counts as.
    package static let assumedVisitors = 20.0
    package static let seatsPerVisitorLeast = 0.01
    /// Evidence beyond this many visitors is halved, so that the average follows the sale.
    package static let visitorsMax = 2000.0
    /// A place is called unlikely only when the seats would have to last for a quarter more than they are expected to.
    package static let margin = 1.25
    package static let insideShare = 0.5
    /// Before the tail is told, so many of it are taken to be gone when their turn comes, if not more are seen to be.
    package static let tailNoShow = 0.5

    package struct Input: Sendable {
        package var seatsLeft: Int
        package var livePasses: Int
        package var undecided: Int
        /// Passes ever granted; nil when nobody counts them.
        package var granted: Int?
        package var cursor: UInt64
        package var noShow: Double

        package init(
            seatsLeft: Int,
            livePasses: Int,
            undecided: Int,
            granted: Int?,
            cursor: UInt64,
            noShow: Double
        ) {
            self.seatsLeft = seatsLeft
            self.livePasses = livePasses
            self.undecided = undecided
            self.granted = granted
            self.cursor = cursor
            self.noShow = noShow
        }
    }

    /// Ranks above this one are unlikely to be reached; nil while nothing is known, and when nothing is left.
    package private(set) var reachable: UInt64?
    private var sold = 0.0
    /// Visitors those seats went to. Who is inside counts half: the first to come out are those who bought.
    private var served = 0.0
    private var last: (seats: Int, served: Double)?

    package init(resuming reachable: UInt64? = nil) {
        self.reachable = reachable
    }

    package var seatsPerVisitor: Double {
        let assumed = Self.seatsPerVisitorAssumed * Self.assumedVisitors
        return max(Self.seatsPerVisitorLeast, (sold + assumed) / (served + Self.assumedVisitors))
    }

    package mutating func observe(_ input: Input) {
        learn(input)
        guard input.seatsLeft > 0 else {
            // All is gone, which says more. Seats that come back later are reckoned anew.
            reachable = nil
            return
        }
        let visitors = Double(max(0, input.seatsLeft)) / seatsPerVisitor
        let inside = Double(input.livePasses + input.undecided) * Self.insideShare
        let expected = Self.ranks(visitors - inside, input.noShow, input)
        let most = Self.ranks(visitors * Self.margin - inside, max(input.noShow, Self.tailNoShow), input)
        guard let told = reachable else {
            reachable = most
            return
        }
        // Two bounds, so that nobody is told one thing now and the other a second later.
        if most < told {
            reachable = max(most, input.cursor)
        } else if expected > told, served >= Self.assumedVisitors {
            // Hope is given back on evidence alone.
            reachable = expected
        }
    }

    private mutating func learn(_ input: Input) {
        guard let granted = input.granted else { return }
        let now = (seats: input.seatsLeft, served: Double(granted) - Double(input.livePasses) * Self.insideShare)
        defer { last = now }
        guard let last else { return }
        // Seats that come back (a refund, an order that ran out) were not sold after all.
        sold = max(0, sold + Double(last.seats - now.seats))
        served = max(0, served + now.served - last.served)
        if served > Self.visitorsMax {
            sold /= 2
            served /= 2
        }
    }

    private static func ranks(_ visitors: Double, _ noShow: Double, _ input: Input) -> UInt64 {
        let calls = max(0, visitors) / (1 - min(noShow, AdmissionController.noShowMax))
        let (sum, overflow) = input.cursor.addingReportingOverflow(UInt64(min(calls, 1e15)))
        return overflow ? .max : sum
    }

    package static func == (left: Self, right: Self) -> Bool {
        left.reachable == right.reachable && left.sold == right.sold && left.served == right.served
            && left.last?.seats == right.last?.seats && left.last?.served == right.last?.served
    }
}
