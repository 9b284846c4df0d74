// Paths of a service that take longer request bodies than the rest.
import EdgeHTTP
package import NIOCore
package import Operations

package struct BodyRule: Sendable, Equatable {
    package static let rulesMax = 64
    package static let bytesMax = 1 << 40

    /// The path itself and everything below it.
    package var path: String
    package var bytesMax: Int
    /// How long the body may be waited for, in all.
    package var time: TimeAmount

    package init(path: String, bytesMax: Int, time: TimeAmount) {
        self.path = path
        self.bytesMax = bytesMax
        self.time = time
    }

    /// `PATH=BYTES/TIME` with commas.
    package static func all(_ settings: Settings) throws -> [BodyRule] {
        let texts = (settings.optional("body-limits") ?? "").split(separator: ",").map { $0.trimmingSpaces() }
        let rules = texts.compactMap { BodyRule(text: $0) }
        guard rules.count == texts.count, rules.count <= rulesMax else {
            throw settings.malformed("body-limits", "PATH=BYTES/TIME with commas, such as /v1/media=1073741824/10m")
        }
        return rules
    }

    private init?(text: Substring) {
        let sides = text.split(separator: "=")
        guard sides.count == 2, sides[0].first == "/" else { return nil }
        let values = sides[1].split(separator: "/")
        guard values.count == 2, let bytes = Int(values[0]), (1...Self.bytesMax).contains(bytes),
            let time = Settings.duration(of: values[1]), time > .zero
        else { return nil }
        self.init(path: String(sides[0]), bytesMax: bytes, time: TimeAmount(time))
    }

    package func covers(_ other: Substring) -> Bool {
        let own = path.utf8
        guard other.utf8.starts(with: own) else { return false }
        return own.last == UInt8(ascii: "/") || other.utf8.count == own.count
            || other.utf8.dropFirst(own.count).first == UInt8(ascii: "/")
    }
}
