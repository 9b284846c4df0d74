// Tokens and rings the tests share.
import Foundation
import QueueTokens
import Signing
import Testing

/// 2026-11-21T09:00:00Z
let now: Int64 = 1_795_251_600

func place(room: String = "arena", number: Int64 = 4711, issuedAt: Int64 = now) -> PlaceToken {
    PlaceToken(
        room: room,
        subject: "q2Jx0pV4m1d7sYtW9aKc3g",
        place: number,
        cohort: .live,
        generation: 3,
        policy: "9f86d081884c7d65",
        issuedAt: issuedAt,
        expiresAt: issuedAt + 86_400
    )
}

func pass(room: String = "arena", account: String? = nil, issuedAt: Int64 = now) -> PassToken {
    PassToken(
        room: room,
        passID: "pas_0647q1m3z8e2v9k5c7x4n6b1tw",
        subject: "q2Jx0pV4m1d7sYtW9aKc3g",
        account: account,
        place: 4711,
        endsAt: issuedAt + 900,
        generation: 3,
        issuedAt: issuedAt,
        expiresAt: issuedAt + 300
    )
}

func account(issuedAt: Int64 = now) -> AccountToken {
    AccountToken(userID: "usr_0647q1m3z8e2v9k5c7x4n6b1tw", role: "buyer", issuedAt: issuedAt, expiresAt: issuedAt + 900)
}

/// The flaw `work` ends with, nil when it does not fail.
func flaw(_ work: () throws -> Void) -> TokenFlaw? {
    do {
        try work()
        return nil
    } catch {
        return error as? TokenFlaw
    }
}

/// The file's bytes; nil, and one line saying so, when the corpora are not on this machine.
func corpus(_ path: String) throws -> Data? {
    let package = URL(fileURLWithPath: #filePath).appendingPathComponent("../../..").standardizedFileURL.path
    let folder = ProcessInfo.processInfo.environment["USHER_CORPORA"] ?? "\(package)/../shared/corpora"
    guard FileManager.default.fileExists(atPath: folder) else {
        print("skipped: no corpora (\(path))")
        return nil
    }
    return try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(path)"))
}

/// A folder of its own for `body`, gone afterwards.
func withFolder<Outcome>(_ body: (String) throws -> Outcome) throws -> Outcome {
    let folder = "\(NSTemporaryDirectory())/usher-keys-\(UUIDv7.make(milliseconds: 0).text)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
}

/// Somebody who has stolen both keys of a type and seals whatever they like: only the form can refuse them.
struct Forger {
    let ring: KeyRing
    let keyID: String
    private let privateKey: Ed25519.PrivateKey
    private let tagKey: KeyedBLAKE2b

    init(_ name: KeyName) throws {
        (ring, privateKey, tagKey) = try withFolder { folder in
            let ring = try KeyRing.load(from: folder, name: name)
            let file = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name.rawValue).jwk"))
            let jwk = try JSONDecoder().decode([String: String].self, from: file)
            let tags = try String(contentsOfFile: "\(folder)/\(name.rawValue).tag", encoding: .utf8)
            let seed = try #require(jwk["d"].flatMap(Base64URL.decode))
            let line = try #require(tags.split(separator: "\n").first).split(separator: " ")
            let tag = try #require(Base64URL.decode(String(line[1])))
            return (ring, try Ed25519.PrivateKey(seed: seed), try KeyedBLAKE2b(key: tag))
        }
        keyID = try #require(ring.signingKey?.keyID)
    }

    func header(_ typ: String) -> String { #"{"alg":"EdDSA","kid":"\#(keyID)","typ":"\#(typ)"}"# }

    /// Both seals are right, whatever is under them; `payload` ends before the tag.
    func seal(header: String, payload: String) -> String {
        let start = Base64URL.encode(Array(header.utf8)) + "."
        let tag = tagKey.tag(of: Array((start + payload).utf8)).prefix(16)
        return sign(header: header, payload: payload + #","tag":"\#(Base64URL.encode(Array(tag)))"}"#)
    }

    func sign(header: String, payload: String) -> String {
        let input = Base64URL.encode(Array(header.utf8)) + "." + Base64URL.encode(Array(payload.utf8))
        return input + "." + Base64URL.encode(privateKey.signature(for: Array(input.utf8)))
    }
}
