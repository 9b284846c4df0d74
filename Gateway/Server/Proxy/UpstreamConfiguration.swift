// Every setting of the way to the services behind, its default and its range.
package import NIOCore
package import Operations

package struct UpstreamConfiguration: Sendable {
    package static let addressesMax = 64

    package var addresses: [ServiceAddress]
    package var connectionsPerLoopMax = 256
    /// Streams of events, on connections besides those.
    package var streamsPerLoopMax = 1024
    package var waitingPerLoopMax = 2048
    /// Shorter than the service's own, so that a connection is not used while it is being closed.
    package var keepTime: TimeAmount = .seconds(8)
    package var connectTime: TimeAmount = .seconds(1)
    /// From the whole request sent to the head of the reply; also how long a service may take nothing of a body.
    package var firstByteTime: TimeAmount = .seconds(10)
    /// From the request (its body excepted) to the head of the reply, waiting and a second attempt included.
    package var totalTime: TimeAmount = .seconds(30)
    /// Between two pieces of a reply's body. A stream has no other bound.
    package var quietTime: TimeAmount = .seconds(60)
    package var ejection = EjectionRule()
    /// How often each of several services is asked for a sign of life.
    package var checkInterval: TimeAmount = .seconds(2)
    /// Nil opens a connection and closes it again.
    package var checkPath: String?

    package init(_ addresses: [ServiceAddress]) {
        self.addresses = addresses
    }

    package init(host: String, port: Int) {
        self.init([ServiceAddress(host: host, port: port)])
    }

    package static let keys: [Settings.Key] = [
        .init("booking-connections-max", "256", "open connections to each booking service, of one event loop"),
        .init("booking-streams-max", "1024", "streams of events besides them, of one event loop"),
        .init("booking-waiting-max", "2048", "requests waiting for one of them, of one event loop"),
        .init(
            "booking-keep-time",
            "8s",
            "how long an unused connection to booking is kept; less than booking keeps it"
        ),
        .init("booking-connect-time", "1s", "how long a connection to booking may take"),
        .init("booking-first-byte-time", "10s", "how long booking may take to begin its reply"),
        .init("booking-total-time", "30s", "the same with waiting for a connection and a second attempt"),
        .init("booking-quiet-time", "60s", "how long booking may be silent within a reply; bounds an event stream"),
        .init("booking-ejection-failures", "5", "failures in a row after which one of several is left alone"),
        .init("booking-ejection-time", "5s", "for how long at first; twice as long at the second time, and so on"),
        .init("booking-ejection-time-max", "60s", "and never longer"),
        .init("booking-check-interval", "2s", "how often each of several is asked for a sign of life"),
        .init("booking-check-path", "", "path that answers 200 when it is well; empty opens a connection only"),
        .init("body-limits", "", "longer request bodies, such as /v1/media=1073741824/10m: bytes, and time"),
    ]

    package init(_ settings: Settings, addresses: [ServiceAddress]) throws {
        self.init(addresses)
        func time(_ name: String, _ range: ClosedRange<Duration>) throws -> TimeAmount {
            TimeAmount(try settings.duration(name, in: range))
        }
        connectionsPerLoopMax = try settings.integer("booking-connections-max", in: 1...10_000)
        streamsPerLoopMax = try settings.integer("booking-streams-max", in: 0...100_000)
        waitingPerLoopMax = try settings.integer("booking-waiting-max", in: 0...100_000)
        let oneHour: Duration = .seconds(3600)
        keepTime = try time("booking-keep-time", .milliseconds(100)...oneHour)
        connectTime = try time("booking-connect-time", .milliseconds(10)...(.seconds(60)))
        firstByteTime = try time("booking-first-byte-time", .milliseconds(100)...oneHour)
        totalTime = try time("booking-total-time", .milliseconds(100)...oneHour)
        quietTime = try time("booking-quiet-time", .milliseconds(100)...oneHour)
        ejection.failures = try settings.integer("booking-ejection-failures", in: 1...1000)
        ejection.time = try time("booking-ejection-time", .milliseconds(100)...oneHour)
        ejection.timeMax = try time("booking-ejection-time-max", .milliseconds(100)...oneHour)
        checkInterval = try time("booking-check-interval", .milliseconds(100)...oneHour)
        checkPath = settings.optional("booking-check-path").flatMap { $0.isEmpty ? nil : $0 }
        if let checkPath, checkPath.first != "/" {
            throw settings.malformed("booking-check-path", "a path such as /healthz")
        }
    }
}

/// When one of several services is left alone after failures.
package struct EjectionRule: Sendable, Equatable {
    /// Failures in a row.
    package var failures = 5
    /// For the first time; the n-th ejection in a row lasts n times as long, up to `timeMax`.
    package var time: TimeAmount = .seconds(5)
    package var timeMax: TimeAmount = .seconds(60)
    /// Bad checks in a row until a service counts as down, and good ones until it counts as up again.
    package var checksDown = 3
    package var checksUp = 2

    package init() {}
}
