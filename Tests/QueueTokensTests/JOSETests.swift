// Our tokens and other people's JOSE: theirs verifies ours, ours takes nothing of theirs.
import Foundation
import QueueTokens
import Signing
import Testing

struct JOSETests {
    private struct Suite: Decodable {
        struct Group: Decodable {
            struct Case: Decodable {
                let tcId: Int
                let jws: String
            }
            let tests: [Case]
        }
        let numberOfTests: Int
        let testGroups: [Group]
    }

    @Test func `attack 4: every JWS of the Wycheproof set is refused, the valid ones too`() throws {
        guard let data = try corpus("wycheproof/json_web_signature_test.json") else { return }
        let suite = try JSONDecoder().decode(Suite.self, from: data)
        let (places, passes) = (try KeyRing.ephemeral(.place), try KeyRing.ephemeral(.pass))
        let keys = places.keys.union(passes.keys).union(try KeyRing.ephemeral(.account).keys)
        let tests = suite.testGroups.flatMap(\.tests)
        for test in tests {
            let verdicts = [
                flaw { _ = try places.verifyTag(ofPlace: test.jws, room: "", at: now) },
                flaw { _ = try passes.verifyTag(ofPass: test.jws, room: "", at: now) },
                flaw { _ = try keys.verifySignature(ofPlace: test.jws, room: "", at: now) },
                flaw { _ = try keys.verifySignature(ofPass: test.jws, room: "", at: now) },
                flaw { _ = try keys.verifySignature(ofAccount: test.jws, at: now) },
            ]
            #expect(!verdicts.contains(nil), "\(test.tcId)")
        }
        #expect(tests.count == suite.numberOfTests && tests.count >= 400)
    }

    /// A stock library with nothing but our JWKS; it refuses the same token with a changed claim.
    private static let script = """
        import json, sys
        from joserfc import jwt
        from joserfc.jwk import KeySet
        given = json.load(sys.stdin)
        keys = KeySet.import_key_set(given["jwks"])
        told = []
        for token in given["tokens"]:
            read = jwt.decode(token, keys, algorithms=["EdDSA"])
            told.append({"header": read.header, "claims": read.claims})
        for token in given["forgeries"]:
            try:
                jwt.decode(token, keys, algorithms=["EdDSA"])
                told.append("accepted a forgery")
            except Exception:
                pass
        json.dump(told, sys.stdout)
        """

    @Test func `a stock JOSE library verifies our tokens with our JWKS`() throws {
        let (places, passes) = (try KeyRing.ephemeral(.place), try KeyRing.ephemeral(.pass))
        let accounts = try KeyRing.ephemeral(.account)
        let keys = places.keys.union(passes.keys).union(accounts.keys)
        let jwks = try JSONSerialization.jsonObject(with: Data(JWKS.encode(keys)))
        let tokens = [
            try places.sign(place()), try passes.sign(pass(account: "usr_0647q1m3z8e2v9k5c7x4n6b1tw")),
            try accounts.sign(account()),
        ]
        let forgeries = try [passes.sign(pass(room: "hall")), KeyRing.ephemeral(.pass).sign(pass())].map { token in
            let parts = token.split(separator: "."), other = tokens[1].split(separator: ".")
            return "\(other[0]).\(parts[1]).\(other[2])"
        }
        let given: [String: Any] = ["jwks": jwks, "tokens": tokens, "forgeries": forgeries]
        let told = try python(Self.script, input: JSONSerialization.data(withJSONObject: given))
        let read = try #require(try JSONSerialization.jsonObject(with: told) as? [[String: [String: Any]]])
        try #require(read.count == 3)
        #expect(read[0]["header"]?["alg"] as? String == "EdDSA")
        #expect(
            read.map { $0["header"]?["typ"] as? String } == [
                "usher-place+jwt", "usher-pass+jwt", "usher-account+jwt",
            ]
        )
        #expect(read[0]["claims"]?["aud"] as? String == "arena")
        #expect(read[0]["claims"]?["place"] as? Int == 4711)
        #expect(read[1]["claims"]?["acct"] as? String == "usr_0647q1m3z8e2v9k5c7x4n6b1tw")
        #expect(read[1]["claims"]?["cap"] as? Int64 == now + 900)
        #expect(read[2]["claims"]?["iss"] as? String == "usher-booking")
        #expect(read[2]["claims"]?["tag"] == nil)
    }

    private func python(_ script: String, input: Data) throws -> Data {
        let (status, told) = try run(JOSEPython.path(), ["-c", script], input: input)
        try #require(status == 0, "joserfc could not be asked")
        return told
    }
}

/// A Python that has joserfc: the machine's own, or one in a virtual environment kept under `.build`.
enum JOSEPython {
    static let requirement = "joserfc==1.6.5"

    static func path() throws -> String {
        if try run("python3", ["-c", "import joserfc"]).status == 0 { return "python3" }
        let package = URL(fileURLWithPath: #filePath).appendingPathComponent("../../..").standardizedFileURL.path
        let folder = "\(package)/.build/joserfc"
        let python = "\(folder)/bin/python3"
        if try run(python, ["-c", "import joserfc"]).status == 0 { return python }
        _ = try run("python3", ["-m", "venv", folder])
        _ = try run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement])
        try #require(
            try run(python, ["-c", "import joserfc"]).status == 0,
            "python3 with venv and \(requirement) from PyPI are needed: ./test installs the first"
        )
        return python
    }
}

/// What the program wrote to its standard output; status 127 when there is no such program.
@discardableResult
func run(_ program: String, _ arguments: [String], input: Data = Data()) throws -> (status: Int32, told: Data) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    let (stdin, stdout) = (Pipe(), Pipe())
    process.standardInput = stdin
    process.standardOutput = stdout
    process.standardError = FileHandle.nullDevice
    try process.run()
    if !input.isEmpty { try stdin.fileHandleForWriting.write(contentsOf: input) }
    try stdin.fileHandleForWriting.close()
    let told = stdout.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, told)
}
