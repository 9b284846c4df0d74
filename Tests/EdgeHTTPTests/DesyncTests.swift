import EdgeHTTP
import NIOCore
import NIOEmbedded
import Testing

struct DesyncTests {
    /// Served by others, refused here on purpose: the guard takes a subset.
    private static let strictOnPurpose: Set<String> = [
        // No coding but `chunked`, once and alone.
        "Correct TE OK", "Transfer-Encoding: identity and chunked OK", "TE with custom parameters OK",
        "Multiple transfer encoding headers in a single request OK", "Different Transfer-Encoding headers",
        "Different Transfer-Encoding headers combined", "Transfer-Encoding with a param: chunked;custom_param",
        // Bodies have a bound.
        "Large Size OK",
        // No `_` in names, and values are UTF-8.
        "Valid custom header with underscore in name", "Valid Transfer-Encoding (chunked) + custom header (non-ascii)",
        "Valid custom header with tchar in name and obs-text", "Valid custom header with dot in name",
        "Valid custom header with digits in name",
        // Targets are plain paths without hidden control bytes.
        "Compliant URL", "International in URI", "Empty URI", "%09 in URI is OK", "%0D in URI is OK",
        "%0A in URI is OK",
    ]

    @Test func `requests that could desynchronise two servers are refused, plain ones are served`() throws {
        guard let folder = DesyncCase.folder else {
            print("skipped: no corpora")
            return
        }
        let cases = try DesyncCase.all(in: folder)
        #expect(cases.count > 100)
        for example in cases {
            let edge = try EdgeChannel()
            try edge.channel.writeInbound(ByteBuffer(bytes: example.bytes))
            let parts = edge.parts()
            switch example.tier {
            case "Severe", "Ambiguous":
                #expect(parts.refusal != nil, "\(example)")
            case "Compliant" where !Self.strictOnPurpose.contains(example.name):
                #expect(parts.refusal == nil && parts.heads.count == 1, "\(example)")
            default: break
            }
        }
    }
}
