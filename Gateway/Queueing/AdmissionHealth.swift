/// What booking says about itself, as the controller uses it.
package struct AdmissionHealth: Sendable, Equatable {
    /// A report older than this says nothing about now.
    package static let freshFor: Duration = .seconds(5)
    package static let holdP99MSMax = 1000.0
    package static let sagaBacklogMax = 500
    package static let paymentErrorRateMax = 0.2

    /// Seats that can still be had: free, held and pending ones.
    package var seatsLeft: Int
    /// Of these, the ones nobody holds: who is called finds no others.
    package var seatsFree: Int
    package var holdP99MS: Double
    package var sagaBacklog: Int
    package var paymentErrorRate: Double
    /// When the gateway got the report, by the gateway's clock.
    package var receivedAt: Moment

    package init(
        seatsLeft: Int,
        seatsFree: Int? = nil,
        holdP99MS: Double = 0,
        sagaBacklog: Int = 0,
        paymentErrorRate: Double = 0,
        receivedAt: Moment
    ) {
        self.seatsLeft = seatsLeft
        self.seatsFree = seatsFree ?? seatsLeft
        self.holdP99MS = holdP99MS
        self.sagaBacklog = sagaBacklog
        self.paymentErrorRate = paymentErrorRate
        self.receivedAt = receivedAt
    }

    package var isSoldOut: Bool { seatsLeft <= 0 }

    package func isFresh(at now: Moment) -> Bool { now - receivedAt < Self.freshFor }

    package var isStrained: Bool {
        holdP99MS > Self.holdP99MSMax || sagaBacklog > Self.sagaBacklogMax
            || paymentErrorRate > Self.paymentErrorRateMax
    }
}
