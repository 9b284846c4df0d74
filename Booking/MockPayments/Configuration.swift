// The settings of the provider, section `payments`.

import Operations

struct MockPaymentsConfiguration: Sendable {
    var address: String
    var port: Int
    /// 0: as many as there are cores.
    var eventLoops = 0
    var ledger: String
    var secretKeyFile: String
    var webhookURL: String?
    var webhookSecretFile: String
    var latency: Duration
    var refundDelay: Duration
    var publicURL: String?
    var patience = WebhookPatience()

    static let keys: [Settings.Key] = [
        .init("address", "127.0.0.1", "address to listen on"),
        .init("port", "8082", "port to listen on; 0 takes a free one"),
        .init("event-loops", "0", "event loops; 0 takes one for each processor"),
        .init("ledger", ".data/payments/ledger.jsonl", "file that keeps every payment"),
        .init("secret-key-file", ".data/payments/secret-key", "API key (sk_…); made on the first start"),
        .init("webhook-url", nil, "where events are sent; without it there are none"),
        .init("webhook-secret-file", ".data/payments/webhook-secret", "secret (whsec_…) events are signed with"),
        .init("latency", "0ms", "time added to each request, half before its effect and half after"),
        .init("refund-delay", "1s", "how long a bank takes for its last word on a refund that has one"),
        .init("public-url", nil, "where buyers reach the pages of this provider; without it where it listens"),
    ]

    init(_ settings: Settings) throws {
        address = try settings.string("address")
        port = try settings.integer("port", in: 0...65535)
        eventLoops = try settings.integer("event-loops", in: 0...256)
        ledger = try settings.string("ledger")
        secretKeyFile = try settings.string("secret-key-file")
        webhookURL = settings.optional("webhook-url")
        webhookSecretFile = try settings.string("webhook-secret-file")
        latency = try settings.duration("latency", in: .zero ... .seconds(60))
        refundDelay = try settings.duration("refund-delay", in: .zero ... .seconds(86_400))
        publicURL = settings.optional("public-url")
        if let webhookURL, !webhookURL.hasPrefix("http://"), !webhookURL.hasPrefix("https://") {
            throw settings.malformed("webhook-url", "an http or https URL")
        }
    }

    /// For tests: everything in one folder, on a free port.
    init(folder: String, webhookURL: String? = nil, latency: Duration = .zero) {
        address = "127.0.0.1"
        port = 0
        ledger = folder + "/ledger.jsonl"
        secretKeyFile = folder + "/secret-key"
        self.webhookURL = webhookURL
        webhookSecretFile = folder + "/webhook-secret"
        self.latency = latency
        refundDelay = .zero
    }
}
