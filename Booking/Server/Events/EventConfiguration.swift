import Events
import Operations

/// The settings of events and webhooks.
struct EventConfiguration: Sendable {
    var interval: Duration
    var lease: Duration
    var retention: Duration
    var streamMax: Int
    var triesMax: Int
    var allowsPrivateTargets: Bool
    var webhookTimeout: Duration
    var webhookFirstPause: Duration

    /// Days for which deliveries can be looked up.
    static let deliveriesKept = Duration.seconds(30 * 86_400)

    static let settings: [Settings.Key] = [
        .init("event-interval", "50ms", "how often the relay looks for events, and a consumer group for entries"),
        .init("event-lease", "4s", "a relay or consumer without a sign of life for so long is replaced"),
        .init("event-retention", "2160h", "events stay in the outbox, and a seat's history, for so long"),
        .init("event-stream-max", "10000", "entries of one of the ten streams in Redis, about"),
        .init("event-tries", "5", "an event that cannot be handled is parked after so many tries"),
        .init("webhook-private-targets", "false", "webhooks may go to private addresses and by plain http"),
        .init("webhook-timeout", "10s", "how long one delivery of a webhook may take"),
        .init("webhook-first-pause", "5s", "the pause after the first failed delivery; it doubles up to 6 hours"),
    ]

    init(_ settings: Settings) throws {
        interval = try settings.duration("event-interval", in: .milliseconds(5)...(.seconds(10)))
        lease = try settings.duration("event-lease", in: .milliseconds(200)...(.seconds(60)))
        retention = try settings.duration("event-retention", in: .seconds(60)...(.seconds(3650 * 86_400)))
        streamMax = try settings.integer("event-stream-max", in: 100...1_000_000)
        triesMax = try settings.integer("event-tries", in: 1...20)
        allowsPrivateTargets = try settings.boolean("webhook-private-targets")
        webhookTimeout = try settings.duration("webhook-timeout", in: .milliseconds(100)...(.seconds(30)))
        webhookFirstPause = try settings.duration("webhook-first-pause", in: .milliseconds(50)...(.seconds(3600)))
    }

    /// What was told can be told again for as long as it is kept, and a day longer it is known that it was.
    var retentionTimes: (outbox: Duration, inbox: Duration) { (retention, retention + .seconds(86_400)) }

    var patience: WebhookPatience {
        var patience = WebhookPatience()
        patience.firstPause = webhookFirstPause
        return patience
    }
}
