import EdgeHTTP
import EdgeReadings
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

/// The reply parser accepts a subset: whatever it lets in, llhttp lets in too and reads the same way.
struct UpstreamDifferentialTests {
    private static let seeds = [
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nSet-Cookie: a=b; Path=/\r\n\r\nhello",
        "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nContent-Length: 7\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX-Empty:\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.0 200 OK\r\nServer: old\r\n\r\nuntil the end",
    ]
    private static let roundsPerSeed = 4000

    @Test(arguments: seeds.indices)
    func `what is accepted reads the same in llhttp`(_ seed: Int) throws {
        var random = SplitMix(state: UInt64(seed) + 77)
        var acceptedCount = 0
        for _ in 0..<Self.roundsPerSeed {
            var bytes = Array(Self.seeds[seed].utf8)
            for _ in 0...Int(random.next() % 3) { Mutation.apply(to: &bytes, &random) }
            let ours = ReplyReading.read(bytes, thenCloses: true)
            guard ours.isComplete, ours.flaw == nil else { continue }
            acceptedCount += 1
            let theirs = try Self.llhttp(bytes)
            let text = String(decoding: bytes, as: UTF8.self).debugDescription
            #expect(theirs?.status == ours.status, "\(text)")
            #expect(theirs?.fields == ours.fields, "\(text)")
            #expect(theirs?.body == ours.body, "\(text)")
        }
        #expect(acceptedCount > Self.roundsPerSeed / 20)
    }

    /// The first reply that is not of status 1xx; nil when NIOHTTP1 refuses.
    private static func llhttp(_ bytes: [UInt8]) throws -> ReplyReading? {
        let channel = EmbeddedChannel()
        let decoder = ByteToMessageHandler(HTTPResponseDecoder(informationalResponseStrategy: .drop))
        try channel.pipeline.syncOperations.addHandler(decoder)
        // It needs to know what is answered.
        channel.write(HTTPClientRequestPart.head(.init(version: .http1_1, method: .GET, uri: "/")), promise: nil)
        _ = try? channel.writeInbound(ByteBuffer(bytes: bytes))
        channel.pipeline.fireChannelInactive()
        var reading = ReplyReading()
        while let part = try channel.readInbound(as: HTTPClientResponsePart.self) {
            switch part {
            case .head(let head):
                reading.status = Int(head.status.code)
                reading.fields = head.headers.filter {
                    !["connection", "content-length", "transfer-encoding"].contains($0.name.lowercased())
                }.map { "\($0.name):\(trimmed($0.value))" }
            case .body(let bytes): reading.body += bytes.readableBytesView
            case .end: return reading
            }
        }
        return nil
    }

    /// llhttp leaves the space behind a value to its user (RFC 9110 §5.5 takes it away).
    private static func trimmed(_ value: String) -> String {
        var value = value[...]
        while let last = value.utf8.last, last == 0x20 || last == 0x09 { value = value.dropLast() }
        return String(value)
    }
}
