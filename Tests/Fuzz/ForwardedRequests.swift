// A request that was accepted, written again for the service behind: llhttp must read there what the visitor meant,
// once, framed in one way, and with nothing that only the gateway may say.
import EdgeHTTP
import EdgeReadings
import GatewayServer
import NIOCore
import NIOEmbedded
import Operations

enum ForwardedRequests {
    static func check(_ bytes: [UInt8]) throws -> String? {
        let reading = try EdgeReading([bytes[...]])
        let isPeerTrusted = Pieces.seed(of: bytes) & 1 == 1
        for (head, message) in zip(reading.heads, reading.messages) where message.isComplete {
            let written = write(head, body: message.body, isPeerTrusted: isPeerTrusted)
            let read = try LlhttpReading(written.readableBytesView)
            guard read.messages.count == 1, let other = read.messages.first, other.isComplete else {
                return "read as \(read.messages.count) requests: \(message)"
            }
            if let part = difference(message, other) { return "\(part): visitor \(message), service \(other)" }
        }
        return nil
    }

    private static func write(_ head: EdgeRequestHead, body: [UInt8], isPeerTrusted: Bool) -> ByteBuffer {
        let peer = ClientAddress(ipv4: 0x7F00_0001)
        let forwarding = Forwarding(
            upstream: pool,
            head: head,
            sender: ForwardedSender(client: peer, peer: peer, isPeerTrusted: isPeerTrusted),
            requestID: .none
        )
        var written = ByteBuffer()
        ForwardedHead.write(forwarding, host: authority, to: &written)
        guard head.framing == .chunked else {
            written.writeBytes(body)
            return written
        }
        if !body.isEmpty {
            for part in [UpstreamRequest.chunkStart(body.count), ByteBuffer(bytes: body), UpstreamRequest.chunkEnd] {
                written.writeImmutableBuffer(part)
            }
        }
        written.writeImmutableBuffer(UpstreamRequest.lastChunk)
        return written
    }

    /// Never used: writing a request asks no service. Safe because libFuzzer runs on one thread.
    nonisolated(unsafe) private static let pool = UpstreamPool(
        UpstreamConfiguration(host: "127.0.0.1", port: 1),
        loop: EmbeddedEventLoop(),
        counters: EdgeCounters(MetricsRegistry())
    )
    private static let authority = "booking.internal:8081"
    private static let gatewaysOwn: Set<String> = ["usher-client-address", "usher-request-id"]
    private static let neverForwarded: Set<String> = [
        "connection", "keep-alive", "te", "trailer", "upgrade", "proxy-connection", "http2-settings",
    ]

    private static func difference(_ sent: ReadMessage, _ read: ReadMessage) -> String? {
        if sent.method != read.method { return "method" }
        if sent.target != read.target { return "target" }
        if read.hosts != [authority] { return "host" }
        if sent.framing != read.framing { return "framing" }
        if sent.body != read.body { return "body" }
        if read.fields.count(where: { $0.name == "Usher-Client-Address" }) != 1 { return "the gateway's word" }
        for field in read.fields {
            let name = field.name.lowercased()
            if neverForwarded.contains(name) { return "\(name) was forwarded" }
            if name.hasPrefix("usher-"), !gatewaysOwn.contains(name) { return "\(name) was forwarded" }
        }
        return nil
    }
}

/// A reply of a service: read at once and in pieces by the proxy, and once more by llhttp.
enum ServiceReplies {
    static func check(_ bytes: [UInt8]) throws -> String? {
        let seed = Pieces.seed(of: bytes)
        let method: EdgeMethod = seed >> 32 & 7 == 0 ? .head : .get
        let whole = ReplyReading(edge: [bytes[...]], method: method)
        let inPieces = ReplyReading(edge: Pieces.cut(bytes, seed: seed), method: method)
        if let finding = Disagreement.between(whole: whole, inPieces: inPieces) { return finding }
        guard whole.isComplete else { return nil }
        return Disagreement.between(edge: whole, llhttp: try ReplyReading(llhttp: bytes, method: method))
    }
}
