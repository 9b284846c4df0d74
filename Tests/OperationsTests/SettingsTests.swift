import Foundation
import Operations
import Testing

@Suite struct SettingsTests {
    private static let keys: [Settings.Key] = [
        .init("port", "8080", "where to listen"),
        .init("tick", "1s", "how often"),
        .init("redis", nil, "the store"),
        .init("strict", "true", "no leniency"),
    ]

    private func read(
        _ arguments: [String] = [],
        _ environment: [String: String] = [:]
    ) throws -> Settings {
        try Settings.read(section: "gateway", keys: Self.keys, arguments: arguments, environment: environment)
    }

    @Test func `a flag beats the environment, which beats the file, which beats the default`() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "usher-\(UUID().uuidString).json")
        try Data(#"{"gateway": {"port": 3, "tick": "3s", "strict": false}, "booking": {"x": 1}}"#.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        #expect(try read().integer("port", in: 0...65535) == 8080)
        let fromFile = try read(["--config", file.path()])
        #expect(try fromFile.integer("port", in: 0...65535) == 3)
        #expect(try fromFile.boolean("strict") == false)
        let environment = ["USHER_GATEWAY_PORT": "2", "USHER_BOOKING_PORT": "77", "PATH": "/bin"]
        #expect(try read(["--config", file.path()], environment).integer("port", in: 0...65535) == 2)
        #expect(try read(["--config", file.path(), "--port=1"], environment).integer("port", in: 0...65535) == 1)
    }

    @Test(arguments: [
        (["--prot", "1"], [:], "--prot"),
        (["stray"], [:], "stray"),
        ([], ["USHER_GATEWAY_PROT": "1"], "USHER_GATEWAY_PROT"),
        (["--port"], [:], "--port"),
    ])
    func `an unknown or unfinished setting stops the start with its name`(
        arguments: [String],
        environment: [String: String],
        name: String
    ) {
        let fault = #expect(throws: SettingsFault.self) { try read(arguments, environment) }
        #expect(fault?.description.contains(name) == true)
    }

    @Test(arguments: ["80 80", "5O", "-1", "70000", "1.5"])
    func `a malformed number is refused, never replaced`(text: String) throws {
        let settings = try read(["--port", text])
        let fault = #expect(throws: SettingsFault.self) { try settings.integer("port", in: 0...65535) }
        #expect(fault?.description.contains("--port") == true)
    }

    @Test(arguments: [("250ms", Duration.milliseconds(250)), ("5s", .seconds(5)), ("2m", .seconds(120))])
    func `durations carry their unit`(text: String, duration: Duration) throws {
        #expect(try read(["--tick", text]).duration("tick", in: .zero...(.seconds(3600))) == duration)
    }

    @Test(arguments: ["5", "s", "5 s", "2h", "99999999999s"])
    func `a duration without unit or out of range is refused`(text: String) throws {
        let settings = try read(["--tick", text])
        #expect(throws: SettingsFault.self) { try settings.duration("tick", in: .zero...(.seconds(3600))) }
    }

    @Test func `an optional setting may be absent and a required one may not`() throws {
        #expect(try read().optional("redis") == nil)
        #expect(throws: SettingsFault.missing(name: "gateway.redis")) { try read().string("redis") }
    }
}
