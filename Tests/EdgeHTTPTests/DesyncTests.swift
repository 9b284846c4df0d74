import EdgeHTTP
import EdgeReadings
import Testing

/// The corpus of http-desync-guardian against the codec; `AttackTests27` sends it through a listener.
struct DesyncTests {
    @Test func `requests that could desynchronise two servers are refused, plain ones are served`() throws {
        guard let folder = DesyncCase.folder else {
            print("skipped: no corpora")
            return
        }
        let cases = try DesyncCase.all(in: folder)
        #expect(cases.count > 150)
        for example in cases {
            let reading = try EdgeReading([example.bytes[...]])
            switch example.tier {
            case "Severe", "Ambiguous":
                #expect(reading.refusal != nil && reading.messages.isEmpty, "\(example)")
            case "Compliant":
                #expect(reading.refusal == DesyncCase.refusedOnPurpose[example.name], "\(example)")
                #expect(reading.refusal != nil || reading.messages.count == 1, "\(example)")
            default: break
            }
        }
    }
}
