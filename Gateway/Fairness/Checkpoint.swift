// A signed statement of how far a room's log had grown, in the form of C2SP tlog-checkpoint: text lines, an empty line,
// signature lines (C2SP signed-note, Ed25519).
import Foundation
package import Signing

package struct Checkpoint: Sendable, Equatable {
    /// The name keys sign under.
    package static let keyName = "usher-log"
    package static let noteBytesMax = 1024
    private static let timeWord = "time "

    package var room: String
    package var generation: Int
    package var size: Int
    package var root: Digest
    /// Milliseconds since 1970, by the store's clock.
    package var milliseconds: Int64

    package init(room: String, generation: Int, size: Int, root: Digest, milliseconds: Int64) {
        self.room = room
        self.generation = generation
        self.size = size
        self.root = root
        self.milliseconds = milliseconds
    }

    package static func origin(room: String, generation: Int) -> String { "usher/\(room)/\(generation)" }

    /// What is signed: every line with its end.
    package var text: String {
        let root = Data(root.bytes).base64EncodedString()
        let origin = Self.origin(room: room, generation: generation)
        return "\(origin)\n\(size)\n\(root)\n\(Self.timeWord)\(milliseconds)\n"
    }

    package func signed(by key: Ed25519.PrivateKey) -> SignedCheckpoint {
        SignedCheckpoint(
            checkpoint: self,
            keyHash: Self.keyHash(of: key.publicKey),
            signature: key.signature(for: Array(text.utf8))
        )
    }

    /// The four bytes by which a signature line names its key.
    package static func keyHash(of key: Ed25519.PublicKey) -> [UInt8] {
        let ed25519: UInt8 = 1
        return Array(SHA256.digest(Array(keyName.utf8) + [UInt8(ascii: "\n"), ed25519] + key.bytes).prefix(4))
    }

    /// Reads the text part; nil unless it is byte for byte what `text` gives.
    package init?(text: some StringProtocol) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 5, lines[4].isEmpty, lines[3].hasPrefix(Self.timeWord),
            let size = Int(lines[1]), size >= 0,
            let root = Data(base64Encoded: String(lines[2])).flatMap({ Digest($0) }),
            let milliseconds = Int64(lines[3].dropFirst(Self.timeWord.count))
        else { return nil }
        let origin = lines[0].split(separator: "/", omittingEmptySubsequences: false)
        guard origin.count == 3, origin[0] == "usher", let generation = Int(origin[2]) else { return nil }
        self.init(
            room: String(origin[1]),
            generation: generation,
            size: size,
            root: root,
            milliseconds: milliseconds
        )
        guard self.text == text else { return nil }
    }
}

/// A checkpoint with one signature, as it is published.
package struct SignedCheckpoint: Sendable, Equatable {
    package let checkpoint: Checkpoint
    package let keyHash: [UInt8]
    package let signature: [UInt8]

    package var note: String {
        let seal = Data(keyHash + signature).base64EncodedString()
        return "\(checkpoint.text)\n— \(Checkpoint.keyName) \(seal)\n"
    }

    init(checkpoint: Checkpoint, keyHash: [UInt8], signature: [UInt8]) {
        self.checkpoint = checkpoint
        self.keyHash = keyHash
        self.signature = signature
    }

    /// Reads a note; nil unless it is byte for byte what `note` gives.
    package init?(note: String) {
        guard note.utf8.count <= Checkpoint.noteBytesMax, let gap = note.range(of: "\n\n— ") else { return nil }
        let sealed = note[gap.upperBound...].split(separator: " ", omittingEmptySubsequences: false)
        guard sealed.count == 2, sealed[0] == Checkpoint.keyName, sealed[1].hasSuffix("\n"),
            let seal = Data(base64Encoded: String(sealed[1].dropLast())), seal.count == 4 + Ed25519.signatureLength,
            let checkpoint = Checkpoint(text: note[..<note.index(after: gap.lowerBound)])
        else { return nil }
        self.init(checkpoint: checkpoint, keyHash: Array(seal.prefix(4)), signature: Array(seal.dropFirst(4)))
        guard self.note == note else { return nil }
    }

    package func isSigned(by key: Ed25519.PublicKey) -> Bool {
        keyHash == Checkpoint.keyHash(of: key)
            && key.isValid(signature: signature, for: Array(checkpoint.text.utf8))
    }

    package func isSigned(byOneOf keys: [Ed25519.PublicKey]) -> Bool {
        keys.contains { isSigned(by: $0) }
    }
}
