// Places and passes, bare and under a right tag: somebody who has stolen the tag key can still say only what the form
// allows, and one meaning has one text.
import Foundation
import QueueTokens
import Signing

enum Tokens {
    /// 2026-11-21T09:00:00Z
    private static let now: Int64 = 1_795_251_600
    private static let signatureTextLength = 86
    private static let places = made(.place)
    private static let passes = made(.pass)

    static func check(_ bytes: [UInt8]) throws -> String? {
        guard let kind = bytes.first else { return nil }
        let rest = Array(bytes.dropFirst())
        let sealed = kind & 2 == 0 ? rest : (kind & 1 == 0 ? places : passes).seal(rest)
        return kind & 1 == 0 ? place(sealed) : pass(sealed)
    }

    private static func place(_ token: [UInt8]) -> String? {
        let text = String(decoding: token, as: UTF8.self)
        guard let found = try? token.withUnsafeBytes({ try places.ring.verifyTag(ofPlace: $0, room: "a", at: now) })
        else {
            let isAccepted = (try? places.ring.keys.verifySignature(ofPlace: text, room: "a", at: now)) != nil
            return isAccepted ? "signed and without tag, yet accepted: \(text)" : nil
        }
        return again(try? places.ring.sign(found), text)
    }

    private static func pass(_ token: [UInt8]) -> String? {
        let text = String(decoding: token, as: UTF8.self)
        guard let found = try? token.withUnsafeBytes({ try passes.ring.verifyTag(ofPass: $0, room: "a", at: now) })
        else { return nil }
        return again(try? passes.ring.sign(found), text)
    }

    /// What was accepted is, but for its signature, the text that the gateway itself would have made.
    private static func again(_ made: String?, _ given: String) -> String? {
        guard let made else { return "the claims cannot be signed: \(given)" }
        return made.dropLast(signatureTextLength) == given.dropLast(signatureTextLength)
            ? nil : "two texts of one token: \(given) and \(made)"
    }

    private struct Forger {
        let ring: KeyRing
        let header: [UInt8]
        let tagKey: KeyedBLAKE2b

        /// The bytes as claims, with the right tag behind them and some signature.
        func seal(_ claims: [UInt8]) -> [UInt8] {
            let tag = Base64URL.encode(Array(tagKey.tag(of: header + claims).prefix(16)))
            let payload = Base64URL.encode(claims + Array(#","tag":"\#(tag)"}"#.utf8))
            let signature = Base64URL.encode([UInt8](repeating: 0, count: 64))
            return header + Array("\(payload).\(signature)".utf8)
        }
    }

    /// Fresh keys for each run, read back from the folder they are kept in.
    private static func made(_ name: KeyName) -> Forger {
        let folder = NSTemporaryDirectory() + "usher-fuzz-keys-\(getpid())-\(name.rawValue)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        do {
            let ring = try KeyRing.load(from: folder, name: name)
            let line = try String(contentsOfFile: "\(folder)/\(name.rawValue).tag", encoding: .utf8).split(
                separator: " "
            )
            let tag = line.last.flatMap { Base64URL.decode($0.trimmingCharacters(in: .newlines)) } ?? []
            let header =
                #"{"alg":"EdDSA","kid":"\#(ring.signingKey?.keyID ?? "")","typ":"usher-\#(name.rawValue)+jwt"}"#
            return Forger(
                ring: ring,
                header: Array("\(Base64URL.encode(Array(header.utf8))).".utf8),
                tagKey: try KeyedBLAKE2b(key: tag)
            )
        } catch {
            fatalError("no keys for the harness: \(error)")
        }
    }
}
