// Setting of the relays that a lottery's randomness is fetched from.
import EdgeHTTP
import Foundation
import Operations

enum BeaconSettings {
    static let keys: [Settings.Key] = [
        .init(
            "beacon-relays",
            "https://api.drand.sh,https://drand.cloudflare.com",
            "drand relays for draws, with commas; with two or more, two must agree"
        )
    ]

    static func relays(_ settings: Settings) throws -> [String] {
        let texts = (settings.optional("beacon-relays") ?? "").split(separator: ",").map { String($0.trimmingSpaces()) }
        let relays = texts.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
        let areGood = relays.allSatisfy { relay in
            guard let url = URLComponents(string: relay), url.scheme == "https" || url.scheme == "http",
                url.host?.isEmpty == false, url.query == nil, url.fragment == nil, url.user == nil
            else { return false }
            return true
        }
        guard areGood, relays.count <= BeaconClient.relaysMax, Set(relays).count == relays.count else {
            throw settings.malformed(
                "beacon-relays",
                "at most \(BeaconClient.relaysMax) different URLs such as https://api.drand.sh, with commas"
            )
        }
        return relays
    }
}
