/// GCRA over passes, as the Redis function `claim` keeps it: one theoretical arrival time, in microseconds.
package struct GrantPace: Sendable, Equatable {
    package private(set) var arrivalMicroseconds: Int64 = 0

    package init() {}

    /// - Returns: 0 when a grant was taken, else the milliseconds to wait.
    package mutating func take(perMinute: Int, burst: Int, atMicroseconds now: Int64) -> Int64 {
        let interval = (60_000_000 + Int64(perMinute) - 1) / Int64(perMinute)
        let allowance = interval * Int64(burst)
        // A pace that was raised must not wait for the end of the old one.
        let arrival = min(max(arrivalMicroseconds, now), now + allowance)
        let wait = arrival + interval - now - allowance
        guard wait <= 0 else { return (wait + 999) / 1000 }
        arrivalMicroseconds = arrival + interval
        return 0
    }
}
