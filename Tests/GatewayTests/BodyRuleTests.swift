import GatewayServer
import NIOCore
import Operations
import Testing

struct BodyRuleTests {
    @Test(arguments: [
        ("/v1/media", "/v1/media", true), ("/v1/media", "/v1/media/a", true), ("/v1/media", "/v1/mediab", false),
        ("/v1/media/", "/v1/media", false), ("/v1/media/", "/v1/media/a", true), ("/", "/anything", true),
        ("/v1/media", "/v1", false),
    ])
    func `a rule covers its path and what is below`(_ path: String, _ other: String, _ covers: Bool) {
        #expect(BodyRule(path: path, bytesMax: 1, time: .seconds(1)).covers(other[...]) == covers)
    }

    private static func rules(_ text: String) throws -> [BodyRule] {
        let keys = GatewayConfiguration.keys
        let settings = try Settings.read(
            section: "gateway",
            keys: keys,
            arguments: ["--body-limits", text],
            environment: [:]
        )
        return try BodyRule.all(settings)
    }

    @Test func `rules are read from one setting`() throws {
        #expect(
            try Self.rules("/v1/media=1073741824/10m, /up=1/5s") == [
                BodyRule(path: "/v1/media", bytesMax: 1 << 30, time: .seconds(600)),
                BodyRule(path: "/up", bytesMax: 1, time: .seconds(5)),
            ]
        )
    }

    @Test(arguments: [
        "media=1/1s", "/a=0/1s", "/a=1", "/a=x/1s", "/a=1/1", "/a=1/0s", "/a=1/1s/2", "/a/1s", "/a=-1/1s",
    ])
    func `a malformed rule stops the start`(_ text: String) {
        #expect(throws: SettingsFault.self) { try Self.rules(text) }
    }
}
