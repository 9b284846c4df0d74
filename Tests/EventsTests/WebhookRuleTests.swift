import Events
import Signing
import Testing

@Suite struct WebhookRuleTests {
    @Test func `a signature is there for each live secret and verifies`() {
        let body = Array("{}".utf8)
        let header = WebhookSignature.header(for: body, secrets: ["new", "old"], at: 17)
        let parts = header.split(separator: ",").map(String.init)
        #expect(parts[0] == "t=17")
        for (part, secret) in zip(parts.dropFirst(), ["new", "old"]) {
            let code = Hex.decode(String(part.dropFirst(3))) ?? []
            #expect(HMACSHA256.isValid(code, for: Array("17.{}".utf8), key: Array(secret.utf8)))
        }
        #expect(parts.count == 3)
    }

    @Test func `pauses double up to six hours and end after three days`() {
        let patience = WebhookPatience()
        #expect(patience.pause(after: 1, age: .zero, chance: 0.5) == .seconds(5))
        #expect(patience.pause(after: 4, age: .zero, chance: 0.5) == .seconds(40))
        #expect(patience.pause(after: 60, age: .zero, chance: 0.5) == .seconds(21_600))
        #expect(patience.pause(after: 20, age: .seconds(3 * 86_400 - 1), chance: 0.5) == nil)
        var (age, attempts) = (Duration.zero, 1)
        while let pause = patience.pause(after: attempts, age: age, chance: 1) {
            age += pause
            attempts += 1
        }
        #expect((15...30).contains(attempts))
        #expect(age > .seconds(2 * 86_400))
    }

    @Test(arguments: [
        "http://example.org/", "ftp://example.org/", "https://", "https://user:word@example.org/", "example.org",
        "https://localhost/", "https://a.localhost/", "https://LOCALHOST./", "https://db.internal/",
        "https://printer.local:9/", "https://example.org/#part", "https://example.org:0/", "https://10.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/latest", "https://exa mple.org/",
    ])
    func `an endpoint that is no public https URL is refused`(url: String) {
        #expect(throws: WebhookTarget.Flaw.self) { try WebhookTarget(url, allowsPrivate: false) }
    }

    @Test func `a public endpoint is read, and a private one where it is allowed`() throws {
        let target = try WebhookTarget("https://hooks.example.org:8443/usher?x=1", allowsPrivate: false)
        #expect(target.host == "hooks.example.org")
        #expect(target.port == 8443)
        #expect(try WebhookTarget("https://[2001:4860::8888]/", allowsPrivate: false).host == "2001:4860::8888")
        #expect(try WebhookTarget("http://localhost:8080/", allowsPrivate: true).port == 8080)
    }

    @Test(arguments: [
        [127, 0, 0, 1], [10, 1, 2, 3], [172, 16, 0, 1], [172, 31, 255, 255], [192, 168, 1, 1], [169, 254, 169, 254],
        [100, 64, 0, 1], [0, 0, 0, 0], [224, 0, 0, 1], [255, 255, 255, 255], [198, 18, 0, 1], [192, 0, 2, 1],
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 8, 8, 8, 8], [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        [0xfc, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], [0x20, 0x02, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        [0x20, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, 192, 168, 0, 1], [], [1, 2, 3],
    ])
    func `no address of a private or special network is public`(bytes: [UInt8]) {
        #expect(!PublicAddress.isPublic(bytes))
    }

    @Test(arguments: [
        [8, 8, 8, 8], [172, 32, 0, 1], [192, 169, 0, 1], [100, 128, 0, 1],
        [0x20, 0x01, 0x48, 0x60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x88, 0x88],
        [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, 8, 8, 8, 8],
    ])
    func `public addresses are`(bytes: [UInt8]) {
        #expect(PublicAddress.isPublic(bytes))
    }
}
