// Records of one length in a file, such as the entries of a room's arrival log: what was promised outlives the store.
import Fairness
import Glibc

/// Entry of number n at 24·(n − 1) when it is the log. Calls block; they come from threads that may.
final class ArrivalFile: Sendable {
    struct Fault: Error, CustomStringConvertible {
        var path: String
        var reason: String
        var description: String { "\(path): \(reason)" }
    }

    let entryLength: Int
    let path: String
    private let descriptor: CInt

    /// Makes the file when it is not there; what a crash left of an entry at the end is cut off.
    init(path: String, entryLength: Int = ArrivalEntry.length) throws(Fault) {
        self.path = path
        self.entryLength = entryLength
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Fault(path: path, reason: String(cString: strerror(errno))) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw Fault(path: path, reason: "another gateway keeps its log there; give each a folder of its own")
        }
        let whole = try length() / entryLength * entryLength
        guard ftruncate(descriptor, off_t(whole)) == 0 else { throw fault() }
    }

    deinit { close(descriptor) }

    private func fault() -> Fault { Fault(path: path, reason: String(cString: strerror(errno))) }

    private func length() throws(Fault) -> Int {
        let end = lseek(descriptor, 0, SEEK_END)
        guard end >= 0 else { throw fault() }
        return Int(end)
    }

    func count() throws(Fault) -> Int { try length() / entryLength }

    /// Entries by index, that is number − 1; fewer when the file ends before.
    func entries(_ range: Range<Int>) throws(Fault) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: range.count * entryLength)
        var done = 0
        while done < bytes.count {
            let start = range.lowerBound * entryLength + done
            let count = bytes.withUnsafeMutableBytes { buffer in
                pread(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done, off_t(start))
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw fault() }
            if count == 0 { break }
            done += count
        }
        bytes.removeLast(bytes.count - done)
        return bytes
    }

    func write(_ entries: [UInt8], at index: Int) throws(Fault) {
        var done = 0
        while done < entries.count {
            let start = index * entryLength + done
            let count = entries.withUnsafeBytes { buffer in
                pwrite(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done, off_t(start))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw fault() }
            done += count
        }
    }

    func truncate(to count: Int) throws(Fault) {
        guard ftruncate(descriptor, off_t(count * entryLength)) == 0 else { throw fault() }
    }

    /// Until this returns, what was written may be lost with the machine.
    func sync() throws(Fault) {
        guard fdatasync(descriptor) == 0 else { throw fault() }
    }
}
