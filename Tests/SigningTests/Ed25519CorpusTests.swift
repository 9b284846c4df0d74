// Ed25519 verdicts on the edge cases others have collected.
import Foundation
import Signing
import Testing

struct Ed25519CorpusTests {
    private struct Wycheproof: Decodable {
        struct Group: Decodable {
            struct Key: Decodable { let pk: String }
            struct Case: Decodable {
                let tcId: Int
                let comment: String
                let msg: String
                let sig: String
                let result: String
            }
            let publicKey: Key
            let tests: [Case]
        }
        let numberOfTests: Int
        let testGroups: [Group]
    }

    @Test func `attack 7: every Wycheproof verdict is ours`() throws {
        guard let data = try corpus("wycheproof/ed25519_test.json") else { return }
        let suite = try JSONDecoder().decode(Wycheproof.self, from: data)
        var count = 0
        for group in suite.testGroups {
            let key = try Ed25519.PublicKey(bytes: bytes(group.publicKey.pk))
            for test in group.tests {
                let verdict = try key.isValid(signature: bytes(test.sig), for: bytes(test.msg))
                #expect(verdict == (test.result == "valid"), "\(test.tcId) \(test.comment)")
                count += 1
            }
        }
        #expect(count == suite.numberOfTests && count >= 150)
    }

    private struct CCTVCase: Decodable {
        let number: Int
        let key: String
        let sig: String
        let msg: String
        let flags: [String]?
    }

    /// libsodium wants canonical points that are not of small order, and checks without the cofactor. What is left of
    /// the odd cases are points with a small-order component whose equation holds all the same.
    @Test func `attack 7: of the CCTV edge cases only harmless small-order components pass`() throws {
        guard let data = try corpus("cctv/ed25519vectors.json") else { return }
        let refused: Set = [
            "low_order_A", "low_order_R", "low_order_residue", "non_canonical_A", "non_canonical_R", "reencoded_k",
        ]
        let cases = try JSONDecoder().decode([CCTVCase].self, from: data)
        for test in cases {
            let key = try Ed25519.PublicKey(bytes: bytes(test.key))
            let verdict = try key.isValid(signature: bytes(test.sig), for: Array(test.msg.utf8))
            #expect(verdict == refused.isDisjoint(with: test.flags ?? []), "\(test.number) \(test.flags ?? [])")
        }
        #expect(cases.count == 914)
    }

    private struct SpecCheckCase: Decodable {
        let message: String
        let pub_key: String
        let signature: String
    }

    /// As "Taming the many EdDSAs" (2020), table 5, prints it for libsodium: case 3, mixed-order A and R whose
    /// cofactorless equation holds, is the one that passes.
    @Test func `attack 7: of the twelve speccheck cases only number three passes`() throws {
        guard let data = try corpus("ed25519-speccheck/cases.json") else { return }
        let cases = try JSONDecoder().decode([SpecCheckCase].self, from: data)
        let verdicts = try cases.map { test in
            try Ed25519.PublicKey(bytes: bytes(test.pub_key))
                .isValid(signature: bytes(test.signature), for: bytes(test.message))
        }
        #expect(verdicts == (0..<12).map { $0 == 3 })
    }
}
