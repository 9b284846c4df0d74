// Key files and their rotation.
//
// `<name>.jwk`         the key that signs (JWK with `d`)
// `<name>.next.jwk`    made by `prepare`: published and accepted, does not sign yet
// `<name>.<kid>.jwk`   made by `promote` from the key it replaced: public half only, accepted until removed
// `<name>.tag`         one line `kid base64url(key)` for each of them (place and pass)
//
// A rotation is prepare → (everyone has read the new JWKS) → promote → (the last old token has expired) → remove. Each
// step changes the tag file first or last so that a crash between two writes leaves every key with its tag key.
import Foundation
import Signing

extension KeyRing {
    /// Reads the ring; makes folder, key and tag key when they are not there. Several processes may start at once:
    /// one makes the key, all use it.
    package static func load(from folder: String, name: KeyName) throws -> KeyRing {
        try KeyFolder(path: folder).load(name)
    }
}

package struct KeyFolder: Sendable {
    package static let tagKeyLength = 32

    private let path: String

    package init(path: String) { self.path = path }

    package func load(_ name: KeyName) throws -> KeyRing {
        try PrivateFile.makeFolder(path)
        var privateKey = try readPrivate(currentPath(name))
        if privateKey == nil {
            _ = try PrivateFile.create(currentPath(name), text(of: Ed25519.PrivateKey(), name))
            privateKey = try readPrivate(currentPath(name))
        }
        guard let privateKey else { throw KeyFileFault(path: currentPath(name), reason: "was made and is gone") }
        let current = VerificationKey(name: name, publicKey: privateKey.publicKey)
        if name.isTagged, try PrivateFile.read(tagPath(name)) == nil {
            let key = SecureRandom.bytes(Self.tagKeyLength)
            _ = try PrivateFile.create(tagPath(name), Array(TagFile.text([current.keyID: key]).utf8))
        }
        let tagKeys = try tagKeys(name)
        var entries = [try entry(current, privateKey, name, tagKeys)]
        if let next = try readPrivate(nextPath(name)) {
            // Its private half stays unread until it is promoted.
            entries.append(try entry(VerificationKey(name: name, publicKey: next.publicKey), nil, name, tagKeys))
        }
        for old in try retired(name) where !entries.contains(where: { $0.verification == old }) {
            entries.append(try entry(old, nil, name, tagKeys))
        }
        return KeyRing(name: name, entries: entries)
    }

    // MARK: Rotation

    /// Makes the next key, accepted from now on; the one prepared before stays when there is one.
    @discardableResult
    package func prepare(_ name: KeyName) throws -> VerificationKey {
        _ = try load(name)
        if let next = try readPrivate(nextPath(name)) { return VerificationKey(name: name, publicKey: next.publicKey) }
        let privateKey = try Ed25519.PrivateKey()
        let key = VerificationKey(name: name, publicKey: privateKey.publicKey)
        if name.isTagged {
            var keys = try tagKeys(name)
            keys[key.keyID] = SecureRandom.bytes(Self.tagKeyLength)
            try PrivateFile.replace(tagPath(name), Array(TagFile.text(keys).utf8))
        }
        guard try PrivateFile.create(nextPath(name), text(of: privateKey, name)) else {
            throw KeyFileFault(path: nextPath(name), reason: "was made by somebody else at the same time")
        }
        return key
    }

    /// The prepared key signs from now on; the one before only verifies, and its private half is gone.
    package func promote(_ name: KeyName) throws {
        guard let old = try load(name).signingKey else { return }
        guard try PrivateFile.read(nextPath(name)) != nil else {
            throw KeyFileFault(path: nextPath(name), reason: "there is no prepared key")
        }
        let publicHalf = try text(of: JWKS.Key(publicKey: old.publicKey, keyID: old.keyID))
        try PrivateFile.replace(retiredPath(name, old.keyID), publicHalf)
        try PrivateFile.move(nextPath(name), to: currentPath(name))
    }

    /// Tokens of this key are refused from now on. The signing key cannot be removed.
    package func remove(_ name: KeyName, keyID: String) throws {
        guard try load(name).signingKey?.keyID != keyID, try retired(name).contains(where: { $0.keyID == keyID }) else {
            throw KeyFileFault(path: retiredPath(name, keyID), reason: "is not the id of a retired key")
        }
        try PrivateFile.remove(retiredPath(name, keyID))
        guard name.isTagged else { return }
        var keys = try tagKeys(name)
        keys[keyID] = nil
        try PrivateFile.replace(tagPath(name), Array(TagFile.text(keys).utf8))
    }

    // MARK: Files

    private func currentPath(_ name: KeyName) -> String { "\(path)/\(name.rawValue).jwk" }
    private func nextPath(_ name: KeyName) -> String { "\(path)/\(name.rawValue).next.jwk" }
    private func tagPath(_ name: KeyName) -> String { "\(path)/\(name.rawValue).tag" }
    private func retiredPath(_ name: KeyName, _ keyID: String) -> String { "\(path)/\(name.rawValue).\(keyID).jwk" }

    private func entry(
        _ key: VerificationKey,
        _ privateKey: Ed25519.PrivateKey?,
        _ name: KeyName,
        _ tagKeys: [String: [UInt8]]
    ) throws -> KeyRing.Entry {
        guard name.isTagged else { return KeyRing.Entry(verification: key, privateKey: privateKey, tagKey: nil) }
        guard let tagKey = tagKeys[key.keyID] else {
            throw KeyFileFault(path: tagPath(name), reason: "has no tag key for \(key.keyID)")
        }
        return KeyRing.Entry(verification: key, privateKey: privateKey, tagKey: try KeyedBLAKE2b(key: tagKey))
    }

    private func retired(_ name: KeyName) throws -> [VerificationKey] {
        let start = "\(name.rawValue).\(name.rawValue)-"
        let files = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        return try files.filter { $0.hasPrefix(start) && $0.hasSuffix(".jwk") }.compactMap { file in
            let file = "\(path)/\(file)"
            guard let publicKey = try readKey(file)?.publicKey else {
                throw KeyFileFault(path: file, reason: "is not an Ed25519 key")
            }
            return VerificationKey(name: name, publicKey: publicKey)
        }
    }

    private func tagKeys(_ name: KeyName) throws -> [String: [UInt8]] {
        guard name.isTagged, let bytes = try PrivateFile.read(tagPath(name)) else { return [:] }
        guard let keys = TagFile.keys(String(decoding: bytes, as: UTF8.self)) else {
            throw KeyFileFault(path: tagPath(name), reason: "is not a list of tag keys")
        }
        return keys
    }

    private func readPrivate(_ path: String) throws -> Ed25519.PrivateKey? {
        guard let key = try readKey(path) else { return nil }
        guard let privateKey = key.privateKey else {
            throw KeyFileFault(path: path, reason: "is not an Ed25519 key with its private half")
        }
        return privateKey
    }

    private func readKey(_ path: String) throws -> JWKS.Key? {
        guard let bytes = try PrivateFile.read(path) else { return nil }
        guard let key = try? JSONDecoder().decode(JWKS.Key.self, from: Data(bytes)) else {
            throw KeyFileFault(path: path, reason: "is not a JWK")
        }
        return key
    }

    private func text(of privateKey: Ed25519.PrivateKey, _ name: KeyName) throws -> [UInt8] {
        let keyID = VerificationKey(name: name, publicKey: privateKey.publicKey).keyID
        return try text(of: JWKS.Key(privateKey: privateKey, keyID: keyID))
    }

    private func text(of key: JWKS.Key) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(key)) + [UInt8(ascii: "\n")]
    }
}

/// The lines of a `.tag` file.
enum TagFile {
    static func text(_ keys: [String: [UInt8]]) -> String {
        keys.sorted { $0.key < $1.key }.map { "\($0.key) \(Base64URL.encode($0.value))\n" }.joined()
    }

    static func keys(_ text: String) -> [String: [UInt8]]? {
        var keys: [String: [UInt8]] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ", omittingEmptySubsequences: false)
            guard parts.count == 2, let key = Base64URL.decode(String(parts[1])), key.count == KeyFolder.tagKeyLength,
                keys.updateValue(key, forKey: String(parts[0])) == nil
            else { return nil }
        }
        return keys
    }
}
