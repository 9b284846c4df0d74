// Key files: made once, private, rotated without a moment in which a good token is refused.
import Foundation
import QueueTokens
import Testing

struct KeyFolderTests {
    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? NSNumber).intValue
    }

    @Test(arguments: KeyName.allCases)
    func `the first start makes private files and the next one reads them`(name: KeyName) throws {
        try withFolder { folder in
            let made = try KeyRing.load(from: folder, name: name)
            let isTagged = name == .place || name == .pass
            let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            #expect(files == ["\(name.rawValue).jwk"] + (isTagged ? ["\(name.rawValue).tag"] : []))
            for file in files { #expect(try mode("\(folder)/\(file)") == 0o600) }
            #expect(try mode(folder) == 0o700)
            let read = try KeyRing.load(from: folder, name: name)
            #expect(read.keys == made.keys && read.signingKey == made.signingKey)
            #expect(read.signingKey?.keyID.hasPrefix("\(name.rawValue)-") == true)
        }
    }

    @Test func `a token of the last run is good in this one`() throws {
        try withFolder { folder in
            let token = try KeyRing.load(from: folder, name: .pass).sign(pass())
            let ring = try KeyRing.load(from: folder, name: .pass)
            #expect(try ring.verifyTag(ofPass: token, room: "arena", at: now).place == 4711)
            #expect(try ring.keys.verifySignature(ofPass: token, room: "arena", at: now).place == 4711)
        }
    }

    @Test func `many first starts at once agree on one key`() async throws {
        let folder = "\(NSTemporaryDirectory())/usher-keys-\(TokenID.random())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let tokens = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<16 { group.addTask { try KeyRing.load(from: folder, name: .pass).sign(pass()) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let ring = try KeyRing.load(from: folder, name: .pass)
        #expect(ring.keys.keys.count == 1)
        for token in tokens { _ = try ring.verifyTag(ofPass: token, room: "arena", at: now) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["pass.jwk", "pass.tag"])
    }

    @Test func `attack 11: a rotation keeps every token good until its key is removed`() throws {
        try withFolder { folder in
            let keys = KeyFolder(path: folder)
            let before = try KeyRing.load(from: folder, name: .pass)
            let old = try before.sign(pass())
            func accepts(_ token: String) throws -> [TokenFlaw?] {
                let ring = try KeyRing.load(from: folder, name: .pass)
                return [
                    flaw { _ = try ring.verifyTag(ofPass: token, room: "arena", at: now) },
                    flaw { _ = try ring.keys.verifySignature(ofPass: token, room: "arena", at: now) },
                ]
            }

            let next = try keys.prepare(.pass)
            #expect(try keys.prepare(.pass) == next)
            let prepared = try KeyRing.load(from: folder, name: .pass)
            #expect(prepared.signingKey == before.signingKey && prepared.keys.keys.contains(next))
            #expect(try accepts(old) == [nil, nil])

            try keys.promote(.pass)
            let promoted = try KeyRing.load(from: folder, name: .pass)
            #expect(promoted.signingKey == next && promoted.keys.keys.count == 2)
            let new = try promoted.sign(pass())
            #expect(try accepts(old) == [nil, nil] && accepts(new) == [nil, nil])
            // Somebody who read the files while the key was only prepared accepts what it signs now.
            #expect(try prepared.verifyTag(ofPass: new, room: "arena", at: now).place == 4711)
            let oldID = try #require(before.signingKey?.keyID)
            let retired = try String(contentsOfFile: "\(folder)/pass.\(oldID).jwk", encoding: .utf8)
            #expect(!retired.contains(#""d""#))

            #expect(throws: KeyFileFault.self) { try keys.remove(.pass, keyID: next.keyID) }
            #expect(throws: KeyFileFault.self) { try keys.remove(.pass, keyID: "../../etc/passwd") }
            try keys.remove(.pass, keyID: oldID)
            #expect(try accepts(old) == [.unknownKey, .unknownKey] && accepts(new) == [nil, nil])
            #expect(throws: KeyFileFault.self) { try keys.promote(.pass) }
        }
    }

    /// Keys are prepared, promoted and removed, time passes, and every look is by a gateway that has just started.
    @Test(arguments: Array(UInt64(1)...8))
    func `invariant 10: a token is good until its end or the end of its key, whatever happens between`(
        seed: UInt64
    ) throws {
        var state = seed &* 0x9e37_79b9_7f4a_7c15
        func below(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        try withFolder { folder in
            let keys = KeyFolder(path: folder)
            var time = now
            var tokens: [(text: String, key: String, end: Int64)] = []
            var retired: [String] = []
            var removed: Set<String> = []
            for _ in 0..<60 {
                let ring = try KeyRing.load(from: folder, name: .pass)
                let current = try #require(ring.signingKey?.keyID)
                switch below(6) {
                case 0: _ = try keys.prepare(.pass)
                case 1 where (try? keys.promote(.pass)) != nil: retired.append(current)
                case 2 where !retired.isEmpty:
                    let key = retired.remove(at: Int(below(UInt64(retired.count))))
                    try keys.remove(.pass, keyID: key)
                    removed.insert(key)
                case 3: time += Int64(below(120))
                default: tokens.append((try ring.sign(pass(issuedAt: time)), current, time + 300))
                }
                let fresh = try KeyRing.load(from: folder, name: .pass)
                for token in tokens {
                    let expected: TokenFlaw? =
                        removed.contains(token.key) ? .unknownKey : time >= token.end ? .expired : nil
                    let byTag = flaw { _ = try fresh.verifyTag(ofPass: token.text, room: "arena", at: time) }
                    #expect(byTag == expected)
                }
            }
            #expect(!tokens.isEmpty && !removed.isEmpty)
        }
    }

    @Test(arguments: [
        ("pass.jwk", "{}"), ("pass.jwk", "not json"), ("pass.jwk", ""), ("pass.tag", ""), ("pass.tag", "pass-x y\n"),
        (
            "pass.jwk",
            #"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","#
                + #""d":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#
        ),
    ])
    func `a broken file stops the start with its name`(file: String, text: String) throws {
        try withFolder { folder in
            _ = try KeyRing.load(from: folder, name: .pass)
            let handle = try #require(FileHandle(forWritingAtPath: "\(folder)/\(file)"))
            try handle.truncate(atOffset: 0)
            try handle.write(contentsOf: Data(text.utf8))
            try handle.close()
            let fault = #expect(throws: KeyFileFault.self) { try KeyRing.load(from: folder, name: .pass) }
            #expect(fault?.path == "\(folder)/\(file)")
        }
    }

    @Test func `a key others may read stops the start`() throws {
        try withFolder { folder in
            _ = try KeyRing.load(from: folder, name: .account)
            try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: "\(folder)/account.jwk")
            let fault = #expect(throws: KeyFileFault.self) { try KeyRing.load(from: folder, name: .account) }
            #expect(fault?.description.contains("0600") == true)
        }
    }

    @Test func `a published set reads back, and holds no secret`() throws {
        let keys = try KeyRing.ephemeral(.place).keys.union(KeyRing.ephemeral(.pass).keys)
        let document = JWKS.encode(keys)
        #expect(try JWKS.decode(document) == keys)
        let text = String(decoding: document, as: UTF8.self)
        #expect(!text.contains(#""d""#) && text.contains(#""alg":"EdDSA""#) && text.contains(#""use":"sig""#))
    }

    @Test func `attack 11: keys of other kinds in a set are passed over, a broken set is refused`() throws {
        let document = """
            {"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"pass-rsa"},
             {"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"pass-x"},
             {"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUQ","kid":"pass-short"},
             {"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"somebody"},
             {"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"pass-e","use":"enc"},
             {"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
             {"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"pass-good"}]}
            """
        #expect(try JWKS.decode(Array(document.utf8)).keys.map(\.keyID) == ["pass-good"])
        #expect(throws: JWKS.Flaw.malformed) { try JWKS.decode(Array("{}".utf8)) }
        #expect(throws: JWKS.Flaw.tooLong) { try JWKS.decode([UInt8](repeating: 32, count: JWKS.bytesMax + 1)) }
    }
}
