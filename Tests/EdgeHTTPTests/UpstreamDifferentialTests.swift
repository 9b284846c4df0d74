import EdgeHTTP
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
    private static let spice: [UInt8] =
        Array("\r\n\t :;,/?#%_-.0123456789abcdefABCDEFchunked\0\u{7F}".utf8) + [0x80, 0xFF, 0x0B, 0x0C]
    private static let roundsPerSeed = 4000

    @Test(arguments: seeds.indices)
    func `what is accepted reads the same in llhttp`(_ seed: Int) throws {
        var random = MutationSource(state: UInt64(seed) + 77)
        var acceptedCount = 0
        for _ in 0..<Self.roundsPerSeed {
            var bytes = Array(Self.seeds[seed].utf8)
            for _ in 0...Int(random.next() % 3) { Self.mutate(&bytes, &random) }
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

    private static func mutate(_ bytes: inout [UInt8], _ random: inout MutationSource) {
        let index = Int(random.next() % UInt64(bytes.count))
        let byte = spice[Int(random.next() % UInt64(spice.count))]
        switch random.next() % 4 {
        case 0: bytes[index] = byte
        case 1: bytes.insert(byte, at: index)
        case 2: bytes.remove(at: index)
        default:
            let end = min(bytes.count, index + Int(random.next() % 12))
            bytes.insert(contentsOf: bytes[index..<end], at: index)
        }
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

/// Sebastiano Vigna's SplitMix64: the same mutants in every run.
private struct MutationSource {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
