// Settings of what a gateway can ask those who join, and whom it asks about them.
import Foundation
package import Operations

/// What the waiting page needs to show a provider's widget.
package struct CaptchaSite: Sendable, Equatable {
    /// The class of the element the provider's script fills; it names the form field of the answer.
    package enum Widget: String, Sendable, CaseIterable {
        case turnstile = "cf-turnstile"
        case hCaptcha = "h-captcha"
        case reCaptcha = "g-recaptcha"

        package var field: String { "\(rawValue)-response" }
    }

    package var key: String
    package var widget: Widget
    /// The provider's script; without one the page shows no widget.
    package var script: String?
    /// Where the script, its frames and its calls come from, for the page's policy.
    package var origins: [String]

    package init(key: String, widget: Widget, script: String?, origins: [String]) {
        self.key = key
        self.widget = widget
        self.script = script
        self.origins = origins
    }
}

package struct ChallengeSettings: Sendable {
    package struct Captcha: Sendable {
        package var verifyURL: String
        package var secret: String
        package var site: CaptchaSite
    }

    package struct Entry: Sendable {
        package var issuer: String
        package var keys: Source
    }

    package enum Source: Sendable, Equatable {
        case file(String)
        case url(String)
    }

    package static let secretBytesMax = 1024

    package var captcha: Captcha?
    package var entry: Entry?

    package static let keys: [Settings.Key] = [
        .init("captcha-verify-url", nil, "siteverify address of the captcha provider"),
        .init("captcha-secret-file", nil, "file of the secret the provider knows us by"),
        .init("captcha-site-key", nil, "site key for the provider's widget"),
        .init("captcha-widget", "cf-turnstile", "cf-turnstile, h-captcha or g-recaptcha"),
        .init("captcha-script", nil, "the provider's script for the waiting page"),
        .init("captcha-origins", "", "origins the script needs besides its own, with commas"),
        .init("entry-issuer", nil, "issuer of entry tickets, the claim iss"),
        .init("entry-keys", nil, "the issuer's JWKS: a file or an https URL, read again every keys-interval"),
    ]

    package init(_ settings: Settings) throws {
        captcha = try Self.captcha(settings)
        entry = try Self.entry(settings)
    }

    private static func captcha(_ settings: Settings) throws -> Captcha? {
        let names = ["captcha-verify-url", "captcha-secret-file", "captcha-site-key"]
        guard names.contains(where: { settings.optional($0) != nil }) else { return nil }
        let url = try settings.string("captcha-verify-url")
        guard isSafe(url) else { throw settings.malformed("captcha-verify-url", "an https URL") }
        guard let widget = CaptchaSite.Widget(rawValue: try settings.string("captcha-widget")) else {
            throw settings.malformed("captcha-widget", "cf-turnstile, h-captcha or g-recaptcha")
        }
        let secretFile = try settings.string("captcha-secret-file")
        guard let bytes = FileManager.default.contents(atPath: secretFile), bytes.count <= secretBytesMax else {
            throw settings.malformed("captcha-secret-file", "a file of at most \(secretBytesMax) bytes")
        }
        let secret = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard !secret.isEmpty else { throw settings.malformed("captcha-secret-file", "a file with a secret") }
        let script = settings.optional("captcha-script")
        var origins: [String] = []
        if let script {
            guard isSafe(script), let origin = origin(of: script) else {
                throw settings.malformed("captcha-script", "an https URL")
            }
            origins.append(origin)
        }
        for origin in (settings.optional("captcha-origins") ?? "").split(separator: ",").map(String.init) {
            guard isOrigin(origin) else {
                throw settings.malformed(
                    "captcha-origins",
                    "origins such as https://hcaptcha.com,https://*.hcaptcha.com"
                )
            }
            origins.append(origin)
        }
        return Captcha(
            verifyURL: url,
            secret: secret,
            site: CaptchaSite(
                key: try settings.string("captcha-site-key"),
                widget: widget,
                script: script,
                origins: origins
            )
        )
    }

    private static func entry(_ settings: Settings) throws -> Entry? {
        guard settings.optional("entry-issuer") != nil || settings.optional("entry-keys") != nil else { return nil }
        let issuer = try settings.string("entry-issuer")
        guard issuer.utf8.count <= 128, issuer.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C })
        else { throw settings.malformed("entry-issuer", "at most 128 visible characters") }
        let keys = try settings.string("entry-keys")
        guard keys.contains("://") else { return Entry(issuer: issuer, keys: .file(keys)) }
        guard isSafe(keys) else { throw settings.malformed("entry-keys", "a file or an https URL") }
        return Entry(issuer: issuer, keys: .url(keys))
    }

    /// https; http only to this machine.
    private static func isSafe(_ text: String) -> Bool {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x27 && $0 != 0x3B && $0 != 0x2C }),
            let url = URLComponents(string: text), let host = url.host, !host.isEmpty, url.user == nil
        else { return false }
        return url.scheme == "https" || url.scheme == "http" && ["127.0.0.1", "localhost", "[::1]"].contains(host)
    }

    private static func origin(of text: String) -> String? {
        guard let url = URLComponents(string: text), let scheme = url.scheme, let host = url.host else { return nil }
        return "\(scheme)://\(host)" + (url.port.map { ":\($0)" } ?? "")
    }

    /// `https://host`, `https://*.host`, with or without a port: nothing that could end a directive.
    private static func isOrigin(_ text: String) -> Bool {
        guard text.hasPrefix("https://") else { return false }
        let rest = text.dropFirst("https://".count)
        return (1...255).contains(rest.utf8.count)
            && rest.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || [0x2A, 0x2D, 0x2E, 0x3A].contains(byte)
            }
    }
}
