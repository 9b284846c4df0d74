import Glibc
package import Queueing

/// The gateway's own clock; deadlines of a room count by Redis' time (`RoomsView.now`).
package enum WallClock {
    package static func now() -> Moment {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Moment(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}

extension Moment {
    /// Whole seconds, as tokens count.
    package var seconds: Int64 { milliseconds / 1000 }
}
