// A request that was accepted, written again for the service behind: llhttp must read there what the visitor meant,
// once, framed in one way, and with nothing that only the gateway may say.
import EdgeHTTP
import EdgeReadings
import GatewayServer
import NIOCore
import NIOEmbedded

enum ForwardedRequests {
    static func check(_ bytes: [UInt8]) throws -> String? {
        let reading = try EdgeReading([bytes[...]])
        for (head, message) in zip(reading.heads, reading.messages) where message.isComplete {
            let written = try write(head, body: message.body)
            let read = try LlhttpReading(written.readableBytesView)
            guard read.messages.count == 1, let other = read.messages.first, other.isComplete else {
                return "read as \(read.messages.count) requests: \(message)"
            }
            if let part = difference(message, other) { return "\(part): visitor \(message), service \(other)" }
        }
        return nil
    }

    private static func write(_ head: EdgeRequestHead, body: [UInt8]) throws -> ByteBuffer {
        let forwarded = ForwardedHead.request(
            head,
            authority: authority,
            address: ClientAddress(ipv4: 0x7F00_0001),
            requestID: .none,
            pass: nil
        )
        let channel = EmbeddedChannel()
        try UpstreamHandlers.add(to: channel)
        channel.write(EdgeRequestPart.head(forwarded), promise: nil)
        if !body.isEmpty { channel.write(EdgeRequestPart.body(ByteBuffer(bytes: body)), promise: nil) }
        channel.writeAndFlush(EdgeRequestPart.end, promise: nil)
        var written = ByteBuffer()
        while var bytes = try channel.readOutbound(as: ByteBuffer.self) { written.writeBuffer(&bytes) }
        _ = try? channel.finish(acceptAlreadyClosed: true)
        return written
    }

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
        for field in read.fields {
            let name = field.name.lowercased()
            if neverForwarded.contains(name) { return "\(name) was forwarded" }
            if name.hasPrefix("usher-"), !gatewaysOwn.contains(name) { return "\(name) was forwarded" }
        }
        return nil
    }
}
