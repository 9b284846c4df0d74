import EdgeHTTP
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

/// The guard accepts a subset: whatever it lets in, llhttp lets in too and reads the same way.
struct DifferentialTests {
    private static let seeds = [
        "GET /a/b?c=d HTTP/1.1\r\nHost: a.example:80\r\nAccept: text/html\r\nCookie: a=b; c=d\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello",
        "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n",
        "DELETE /x%20y HTTP/1.0\r\nHost: [::1]\r\nConnection: keep-alive\r\nX-Empty:\r\n\r\n",
    ]
    /// Bytes that matter to a parser, more often than others.
    private static let spice: [UInt8] =
        Array("\r\n\t :;,/?#%_-.0123456789abcdefABCDEFchunked\0\u{7F}".utf8) + [0x80, 0xFF, 0x0B, 0x0C]
    private static let roundsPerSeed = 4000

    @Test(arguments: seeds.indices)
    func `what is accepted reads the same in llhttp`(_ seed: Int) throws {
        var random = SplitMix(state: UInt64(seed) + 1)
        var acceptedCount = 0
        for _ in 0..<Self.roundsPerSeed {
            var bytes = Array(Self.seeds[seed].utf8)
            for _ in 0...Int(random.next() % 3) { Self.mutate(&bytes, &random) }
            let edge = try EdgeChannel()
            try edge.channel.writeInbound(ByteBuffer(bytes: bytes))
            let parts = edge.parts()
            guard parts.isComplete, let head = parts.heads.first else { continue }
            acceptedCount += 1
            let text = String(decoding: bytes, as: UTF8.self).debugDescription
            let other = try Self.llhttp(bytes)
            #expect(other?.head.method.rawValue == head.method.name, "\(text)")
            #expect(other.map { $0.head.uri.hasSuffix(head.target) } == true, "\(text)")
            #expect(other?.head.headers["host"].map(Self.trimmed) == [head.host], "\(text)")
            #expect(other?.body == parts.body, "\(text)")
            let kept = other?.head.headers.filter {
                !["host", "content-length", "transfer-encoding", "expect"].contains($0.name.lowercased())
            }
            #expect(
                kept?.map { "\($0.name):\(Self.trimmed($0.value))" }
                    == head.headers.fields.map { "\($0.name):\($0.value)" },
                "\(text)"
            )
        }
        // A test whose every mutant is refused would show nothing.
        #expect(acceptedCount > Self.roundsPerSeed / 20)
    }

    /// llhttp leaves the space behind a value to its user (RFC 9110 §5.5 takes it away).
    private static func trimmed(_ value: String) -> String {
        var value = value[...]
        while let last = value.utf8.last, last == 0x20 || last == 0x09 { value = value.dropLast() }
        return String(value)
    }

    private static func mutate(_ bytes: inout [UInt8], _ random: inout SplitMix) {
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

    /// The first message as NIOHTTP1 reads it; nil when it refuses.
    private static func llhttp(_ bytes: [UInt8]) throws -> (head: HTTPRequestHead, body: String)? {
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(HTTPRequestDecoder()))
        _ = try? channel.writeInbound(ByteBuffer(bytes: bytes))
        var head: HTTPRequestHead?
        var body = ""
        while let part = try channel.readInbound(as: HTTPServerRequestPart.self) {
            switch part {
            case .head(let found): head = found
            case .body(let bytes): body += String(buffer: bytes)
            case .end: return head.map { ($0, body) }
            }
        }
        return nil
    }
}

/// Sebastiano Vigna's SplitMix64: the same mutants in every run.
private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
