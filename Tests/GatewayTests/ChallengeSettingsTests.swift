import Foundation
import Logging
import NIOCore
import Operations
import OutwardCalls
import QueueTokens
import TestSupport
import Testing

@testable import GatewayServer

struct ChallengeSettingsTests {
    private func settings(_ arguments: [String]) throws -> ChallengeSettings {
        try ChallengeSettings(
            Settings.read(section: "gateway", keys: ChallengeSettings.keys, arguments: arguments, environment: [:])
        )
    }

    private func withFile<Outcome>(_ text: String, _ body: (String) throws -> Outcome) throws -> Outcome {
        let path = FileManager.default.temporaryDirectory.appending(path: "usher-\(UInt32.random(in: 0 ... .max))")
            .path()
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }

    @Test func `nothing is asked of others unless it is set`() throws {
        let plain = try settings([])
        #expect(plain.captcha == nil && plain.entry == nil)
    }

    @Test func `a captcha is set with its secret and what its widget needs`() throws {
        try withFile(" s3cret\n") { path in
            let captcha = try settings([
                "--captcha-verify-url", "https://captcha.example/siteverify", "--captcha-secret-file", path,
                "--captcha-site-key", "site", "--captcha-widget", "h-captcha", "--captcha-script",
                "https://js.captcha.example:8443/1/api.js?x=1", "--captcha-origins", "https://*.captcha.example",
            ]).captcha.orThrow()
            #expect(captcha.secret == "s3cret")
            #expect(captcha.site.widget.field == "h-captcha-response")
            #expect(captcha.site.origins == ["https://js.captcha.example:8443", "https://*.captcha.example"])
        }
    }

    @Test(arguments: [
        ["--captcha-site-key", "k"],
        ["--captcha-verify-url", "http://captcha.example/v"],
        ["--captcha-verify-url", "ftp://captcha.example/v"],
        ["--captcha-verify-url", "https://u:p@captcha.example/v"],
        ["--captcha-widget", "other"],
        ["--captcha-secret-file", "/nowhere/at/all"],
        ["--captcha-secret-file", "/dev/null"],
        ["--captcha-script", "https://a.example/x;script-src"],
        ["--captcha-script", "javascript:alert(1)"],
        ["--captcha-origins", "https://a.example; script-src *"],
        ["--captcha-origins", "*"],
        ["--captcha-origins", "http://a.example"],
        ["--entry-issuer", "me"],
        ["--entry-keys", "/file"],
        ["--entry-issuer", "a b", "--entry-keys", "/file"],
        ["--entry-issuer", "me", "--entry-keys", "http://keys.example/jwks"],
    ])
    func `half a setting or an unsafe one stops the start`(arguments: [String]) throws {
        try withFile("secret") { path in
            var all = [
                "--captcha-verify-url", "https://captcha.example/v", "--captcha-secret-file", path,
                "--captcha-site-key", "k",
            ]
            if arguments == ["--captcha-site-key", "k"] { all = [] }
            #expect(throws: SettingsFault.self) { _ = try settings(all + arguments) }
        }
    }

    @Test func `an issuer's keys come from a file or from a URL`() throws {
        let file = try settings(["--entry-issuer", "https://club.example", "--entry-keys", "/keys.json"])
        #expect(file.entry?.keys == .file("/keys.json"))
        let url = try settings(["--entry-issuer", "club", "--entry-keys", "https://club.example/jwks.json"])
        #expect(url.entry?.keys == .url("https://club.example/jwks.json"))
    }

    @Test func `an issuer's new key is read without a restart, and a broken file takes no key away`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, entryIssuer: "club", tick: nil) { node in
                let path = "/tmp/usher-entry-\(UInt32.random(in: 0 ... .max)).jwks"
                defer { try? FileManager.default.removeItem(atPath: path) }
                let (old, new) = (try IssuerKey(), try IssuerKey())
                try Data(old.jwks).write(to: URL(filePath: path))
                let client = OutwardClient(group: node.group)
                let reader = EntryKeysReader(
                    source: .file(path),
                    client: client,
                    rooms: node.rooms,
                    interval: .milliseconds(20),
                    logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
                )
                let wanted = try IssuerKeys(jwks: new.jwks)
                let before = try IssuerKeys(jwks: old.jwks)
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    tasks.addTask { try await reader.run() }
                    try await eventually { node.rooms.view.entryKeys == before }
                    try Data("{".utf8).write(to: URL(filePath: path))
                    try Data(new.jwks).write(to: URL(filePath: path), options: .atomic)
                    try await eventually { node.rooms.view.entryKeys == wanted }
                    tasks.cancelAll()
                }
                try await client.shutDown()
            }
        }
    }
}
