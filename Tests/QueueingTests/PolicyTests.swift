import Testing

@testable import Queueing

struct PolicyTests {
    static let session = "ses_01jc3k4m5n6p7q8r9stvwxyz01"

    @Test func `an empty document is the default policy`() throws {
        let policy = try RoomPolicy(json: Array("{}".utf8))
        #expect(policy.admission.perMinute == 600)
        #expect(policy.admission.activeMax == 2000)
        #expect(policy.admission.burstAllowed == 10)
        #expect(policy.claim == ClaimWindow(windowSeconds: 120, graceSeconds: 300))
        #expect(policy.claim.extensionsMax == 10)
        #expect(policy.passIdleSeconds == 300 && policy.passLifetimeSeconds == 900)
        #expect(policy.passSharing == .log)
        #expect(policy.identity == .device)
    }

    @Test func `the canonical bytes read back as the same policy with the same hash`() throws {
        let text = """
            {"protects":[{"session":"\(Self.session)"}],"message":"Dör \\"A\\" \\\\ 1","identity":"account",
             "schedule":{"closes_at":"2026-03-01T12:00:00.250Z","join_opens_at":"2026-02-01T00:00:00Z"},
             "claim":{"extensions_max":0},"pass":{"sharing":"step_up"},
             "admission":{"burst":3,"per_minute":61,"active_max":7,"ramp_seconds":0,"adaptive":false}}
            """
        let policy = try RoomPolicy(json: Array(text.utf8))
        let again = try RoomPolicy(json: policy.canonicalJSON)
        #expect(again == policy)
        #expect(again.hash == policy.hash)
        #expect(policy.hash.utf8.count == 43)
        #expect(policy.message == "Dör \"A\" \\ 1")
    }

    @Test func `the order of members does not change the hash and a value does`() throws {
        let one = try RoomPolicy(json: Array(#"{"admission":{"per_minute":60,"active_max":5}}"#.utf8))
        let two = try RoomPolicy(json: Array(#"{ "admission": {"active_max": 5, "per_minute": 60} }"#.utf8))
        let other = try RoomPolicy(json: Array(#"{"admission":{"per_minute":60,"active_max":6}}"#.utf8))
        #expect(one.hash == two.hash)
        #expect(one.hash != other.hash)
    }

    @Test(arguments: [
        ("[]", ""),
        ("{", ""),
        (#"{"pace":1}"#, "pace"),
        (#"{"admission":{"per_minute":0}}"#, "admission.per_minute"),
        (#"{"admission":{"per_minute":1.5}}"#, "admission.per_minute"),
        (#"{"admission":{"per_minute":"60"}}"#, "admission.per_minute"),
        (#"{"admission":{"per_minute":true}}"#, "admission.per_minute"),
        (#"{"admission":{"active_max":10000001}}"#, "admission.active_max"),
        (#"{"admission":{"adaptive":1}}"#, "admission.adaptive"),
        (#"{"admission":{"speed":1}}"#, "admission.speed"),
        (#"{"order":{"method":"lottery"}}"#, "schedule.sale_opens_at"),
        (
            #"{"order":{"method":"lottery","tie_window_ms":5},"schedule":{"sale_opens_at":"2026-02-02T00:00:00Z"}}"#,
            "order.tie_window_ms"
        ),
        (#"{"order":{"method":"lottery","beacon":"dice"}}"#, "order.beacon"),
        (#"{"order":{"beacon":"drand"}}"#, "order.beacon"),
        (#"{"order":{"tie_window_ms":10001}}"#, "order.tie_window_ms"),
        (#"{"claim":{"window_seconds":0}}"#, "claim.window_seconds"),
        (#"{"pass":{"idle_seconds":600,"lifetime_seconds":300}}"#, "pass.idle_seconds"),
        (#"{"claim":{"extensions_max":21}}"#, "claim.extensions_max"),
        (#"{"claim":{"extensions_max":-1}}"#, "claim.extensions_max"),
        (#"{"pass":{"sharing":"often"}}"#, "pass.sharing"),
        (#"{"identity":"face"}"#, "identity"),
        (#"{"limits":{"x":1}}"#, "limits.x"),
        (#"{"challenge":{"kind":"riddle"}}"#, "challenge.kind"),
        (#"{"challenge":{"kind":"attestation"},"identity":"account"}"#, "identity"),
        (#"{"challenge":{"kind":"off","steps":[]}}"#, "challenge.steps"),
        (#"{"challenge":{"kind":"captcha","wait_seconds":30}}"#, "challenge.wait_seconds"),
        (#"{"challenge":{"kind":"pow","expiry_seconds":121}}"#, "challenge.expiry_seconds"),
        (#"{"challenge":{"kind":"pow","wait_seconds":14}}"#, "challenge.wait_seconds"),
        (#"{"challenge":{"kind":"pow","wait_seconds":61}}"#, "challenge.wait_seconds"),
        (#"{"challenge":{"kind":"pow","steps":[{"hashes":500001}]}}"#, "challenge.steps[0].hashes"),
        (#"{"challenge":{"kind":"pow","steps":[{"hashes":999}]}}"#, "challenge.steps[0].hashes"),
        (
            #"{"challenge":{"kind":"pow","steps":[{"joins_per_second":1,"hashes":5000}]}}"#,
            "challenge.steps[0].joins_per_second"
        ),
        (#"{"challenge":{"kind":"pow","steps":[{"hashes":5000},{"hashes":6000}]}}"#, "challenge.steps[1]"),
        (
            #"{"challenge":{"kind":"pow","steps":[{"hashes":5000},{"joins_per_second":9,"hashes":4999}]}}"#,
            "challenge.steps[1]"
        ),
        (#"{"challenge":{"kind":"pow","steps":[{},{},{},{},{},{},{},{},{}]}}"#, "challenge.steps"),
        (#"{"challenge":{"kind":"pow","steps":[{"bits":5}]}}"#, "challenge.steps[0].bits"),
        (#"{"message":"a\u0007b"}"#, "message"),
        (#"{"schedule":{"closes_at":"tomorrow"}}"#, "schedule.closes_at"),
        (#"{"schedule":{"sale_opens_at":"2026-02-02T00:00:00Z","closes_at":"2026-02-01T00:00:00Z"}}"#, "schedule"),
        (#"{"protects":[{"session":"ses_1"}]}"#, "protects[0].session"),
        (#"{"protects":["ses"]}"#, "protects[0]"),
    ])
    func `a flaw is named by its member`(text: String, member: String) {
        #expect {
            try RoomPolicy(json: Array(text.utf8))
        } throws: { error in
            (error as? PolicyFlaw)?.member == member
        }
    }

    @Test(arguments: [
        (#"{"kind":"off"}"#, #"{"kind":"off"}"#), ("{}", #"{"kind":"off"}"#),
        (#"{"kind":"captcha"}"#, #"{"kind":"captcha"}"#), (#"{"kind":"attestation"}"#, #"{"kind":"attestation"}"#),
        (
            #"{"kind":"pow"}"#,
            #"{"expiry_seconds":120,"kind":"pow","steps":[{"hashes":25000,"joins_per_second":0},"#
                + #"{"hashes":100000,"joins_per_second":50},{"hashes":400000,"joins_per_second":500}],"wait_seconds":30}"#
        ),
        (
            #"{"kind":"pow","wait_seconds":20,"expiry_seconds":60,"steps":[{"hashes":2000}]}"#,
            #"{"expiry_seconds":60,"kind":"pow","steps":[{"hashes":2000,"joins_per_second":0}],"wait_seconds":20}"#
        ),
    ])
    func `a challenge is kept with all its numbers`(text: String, canonical: String) throws {
        let policy = try RoomPolicy(json: Array(#"{"challenge":\#(text)}"#.utf8))
        #expect(policy.challenge.canonicalJSON == canonical)
        #expect(String(decoding: policy.canonicalJSON, as: UTF8.self).contains(#""challenge":\#(canonical),"claim""#))
        #expect(try RoomPolicy(json: policy.canonicalJSON) == policy)
    }

    @Test(arguments: [("a", true), ("on-sale-1", true), ("", false), ("A", false), ("a/b", false), ("a_b", false)])
    func `a room name is safe everywhere it is written`(text: String, isGood: Bool) {
        #expect((RoomName(text) != nil) == isGood)
    }

    @Test func `a room name has at most forty characters`() {
        #expect(RoomName(String(repeating: "a", count: 40)) != nil)
        #expect(RoomName(String(repeating: "a", count: 41)) == nil)
    }
}

struct MomentTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00.000Z", 0),
        ("2000-02-29T23:59:59.999Z", 951_868_799_999),
        ("2026-11-21T09:00:00.250Z", 1_795_251_600_250),
    ])
    func `RFC 3339 is read and written`(text: String, milliseconds: Int64) {
        #expect(Moment(rfc3339: text)?.milliseconds == milliseconds)
        #expect(Moment(milliseconds: milliseconds).rfc3339 == text)
    }

    @Test(arguments: [
        "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01 00:00:00Z",
        "2026-01-01T00:00:00+01:00", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.1234Z", "20260101T000000Z",
    ])
    func `anything else is no time`(text: String) {
        #expect(Moment(rfc3339: text) == nil)
    }
}
