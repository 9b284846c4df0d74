// One room's arrival log as this gateway holds it: the file, the tree over it, and the newest checkpoint.
package import Fairness
import Glibc
package import Queueing
import Signing
import Synchronization

package final class RoomLog: Sendable {
    /// Why nothing is signed.
    package enum Hold: Sendable, Equatable {
        /// The store has fewer entries than are known here: it waits for them to be put back.
        case storeForgot(have: Int, store: Int)
        /// What is here is not what was signed, or what is in the store is not what was signed.
        case inconsistent(String)
        /// The disk does not take it.
        case unwritable(String)

        package var text: String {
            switch self {
            case .storeForgot(let have, let store): "the store has \(store) of \(have) entries"
            case .inconsistent(let reason): reason
            case .unwritable(let reason): reason
            }
        }

        /// Only an operator can mend it.
        package var isFault: Bool {
            if case .storeForgot = self { return false }
            return true
        }
    }

    private struct State {
        var tree = MerkleTree()
        var checkpoint: SignedCheckpoint?
        var hold: Hold?
    }

    static let entriesReadMax = 32_768

    package let room: RoomName
    package let generation: Int
    private let file: ArrivalFile
    private let noteFile: String
    private let state: Mutex<State>

    /// Reads what is there of this room and generation in the folder; takes about a second for a million entries.
    init(folder: String, room: RoomName, generation: Int, keys: [Ed25519.PublicKey]) throws(ArrivalFile.Fault) {
        self.room = room
        self.generation = generation
        let path = "\(folder)/\(room.text).\(generation)"
        let file = try ArrivalFile(path: "\(path).log")
        self.file = file
        noteFile = "\(path).checkpoint"
        state = Mutex(State())
        try rebuild()
        guard let note = NoteFile.read(noteFile) else { return }
        guard let checkpoint = SignedCheckpoint(note: note), checkpoint.isSigned(byOneOf: keys) else {
            hold(.inconsistent("\(noteFile) is not a checkpoint of ours"))
            return
        }
        try accept(checkpoint)
    }

    // MARK: What is known

    package var count: Int { state.withLock { $0.tree.count } }
    package var checkpoint: SignedCheckpoint? { state.withLock { $0.checkpoint } }
    package var hold: Hold? { state.withLock { $0.hold } }
    /// Until a checkpoint is accepted it is 0.
    var signedSize: Int { state.withLock { $0.checkpoint?.checkpoint.size ?? 0 } }

    /// Entries by index.
    package func entries(_ range: Range<Int>) throws -> [UInt8] {
        try file.entries(range.clamped(to: 0..<count))
    }

    package func root(at size: Int) throws -> Digest? {
        try state.withLock { $0.tree }.root(at: size, leaves: leaves)
    }

    package func inclusionPath(of index: Int, at size: Int) throws -> [Digest]? {
        try state.withLock { $0.tree }.inclusionPath(of: index, at: size, leaves: leaves)
    }

    package func consistencyPath(from earlier: Int, to later: Int) throws -> [Digest]? {
        try state.withLock { $0.tree }.consistencyPath(from: earlier, to: later, leaves: leaves)
    }

    private func leaves(_ range: Range<Int>) throws -> [Digest] {
        let entries = try file.entries(range)
        guard entries.count == range.count * ArrivalEntry.length else {
            throw ArrivalFile.Fault(path: file.path, reason: "is shorter than its tree")
        }
        return ArrivalEntry.leaves(of: entries)
    }

    // MARK: What changes it; one task does

    /// Entries that come after the ones that are here.
    func append(_ entries: [UInt8]) throws(ArrivalFile.Fault) {
        guard !entries.isEmpty else { return }
        try file.write(entries, at: count)
        state.withLock { $0.tree.append(entries: entries) }
    }

    /// Puts other entries in the place of those that are here; `rebuild` must follow.
    func overwrite(_ entries: [UInt8], at index: Int) throws(ArrivalFile.Fault) {
        try file.write(entries, at: index)
    }

    /// Makes the tree anew from the file.
    func rebuild() throws(ArrivalFile.Fault) {
        var tree = MerkleTree()
        let total = try file.count()
        while tree.count < total {
            let piece = try file.entries(tree.count..<min(total, tree.count + Self.entriesReadMax))
            guard !piece.isEmpty else { break }
            tree.append(entries: piece)
        }
        state.withLock { $0.tree = tree }
    }

    func sync() throws(ArrivalFile.Fault) { try file.sync() }

    func hold(_ hold: Hold?) { state.withLock { $0.hold = hold } }

    /// Takes a checkpoint that was signed by one of our keys, when it says what is here. A smaller one than the newest
    /// is compared and not kept.
    /// - Returns: false while too little is here to tell.
    @discardableResult
    func accept(_ signed: SignedCheckpoint) throws(ArrivalFile.Fault) -> Bool {
        let checkpoint = signed.checkpoint
        guard checkpoint.room == room.text, checkpoint.generation == generation else {
            hold(.inconsistent("a checkpoint of \(checkpoint.room)/\(checkpoint.generation) was shown"))
            return true
        }
        guard checkpoint.size <= count else { return false }
        guard let root = try? root(at: checkpoint.size) else {
            throw ArrivalFile.Fault(path: file.path, reason: "cannot be read")
        }
        guard root == checkpoint.root else {
            hold(.inconsistent("the first \(checkpoint.size) entries are not those that were signed"))
            return true
        }
        guard checkpoint.size > signedSize else { return true }
        try NoteFile.write(signed.note, to: noteFile)
        state.withLock { $0.checkpoint = signed }
        return true
    }
}

/// The newest checkpoint on disk: a gateway that starts again does not sign against it.
enum NoteFile {
    static func read(_ path: String) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: Checkpoint.noteBytesMax + 1)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(validating: bytes.prefix(count), as: UTF8.self)
    }

    /// The old one stays whole until the new one is.
    static func write(_ note: String, to path: String) throws(ArrivalFile.Fault) {
        let fresh = path + ".new"
        let descriptor = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw ArrivalFile.Fault(path: fresh, reason: String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        let bytes = Array(note.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fdatasync(descriptor) == 0,
            rename(fresh, path) == 0
        else { throw ArrivalFile.Fault(path: path, reason: String(cString: strerror(errno))) }
    }
}
