import EdgeHTTP
import EdgeReadings
import Testing

/// The guard accepts a subset: whatever it lets in, llhttp lets in too and reads the same way. `scripts/fuzz` makes the
/// same comparison on inputs that coverage has chosen.
struct DifferentialTests {
    private static let seeds = [
        "GET /a/b?c=d HTTP/1.1\r\nHost: a.example:80\r\nAccept: text/html\r\nCookie: a=b; c=d\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello",
        "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n",
        "DELETE /x%20y HTTP/1.0\r\nHost: [::1]\r\nConnection: keep-alive\r\nX-Empty:\r\n\r\n",
        "GET http://a?b HTTP/1.1\r\nHost: a\r\n\r\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
    ]
    private static let roundsPerSeed = 800

    @Test(arguments: seeds.indices)
    func `what is accepted reads the same in llhttp, wherever reads end`(_ seed: Int) throws {
        var random = SplitMix(state: UInt64(seed) + 1)
        var acceptedCount = 0
        for _ in 0..<Self.roundsPerSeed {
            var bytes = Array(Self.seeds[seed].utf8)
            for _ in 0...Int(random.next() % 3) { Mutation.apply(to: &bytes, &random) }
            let text = String(decoding: bytes, as: UTF8.self).debugDescription
            let whole = try EdgeReading([bytes[...]])
            let inPieces = try EdgeReading(Pieces.cut(bytes, seed: random.next()))
            #expect(Disagreement.within(whole) == nil, "\(text)")
            #expect(Disagreement.between(whole: whole, inPieces: inPieces) == nil, "\(text)")
            guard !whole.messages.isEmpty else { continue }
            acceptedCount += 1
            #expect(Disagreement.between(whole, try LlhttpReading(bytes)) == nil, "\(text)")
        }
        // A test whose every mutant is refused would show nothing.
        #expect(acceptedCount > Self.roundsPerSeed / 20)
    }

    /// What the fuzz targets have found, and what is close to it.
    @Test(arguments: [
        "0\r\nTransfer-Encoding: chunked\r\n\r\n", "0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        "0\r\nContent-Length: 3\r\n\r\n", "0\r\nconnection: close\r\n\r\n",
        "0\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n",
        "0\r\nX: y\r\n\r\n", "0\r\nContent.Length: 3\r\n\r\n",
    ])
    func `a trailer changes nothing for either`(_ chunks: String) throws {
        let bytes = Array(
            "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(chunks)GET / HTTP/1.1\r\nHost: a\r\n\r\n"
                .utf8
        )
        #expect(Disagreement.between(try EdgeReading([bytes[...]]), try LlhttpReading(bytes)) == nil)
    }
}
