// Small secret files: mode 0600 from their first byte, whole or not there at all.
import Foundation

/// Why a key file could not be read or written. `description` is one line fit for the operator.
package struct KeyFileFault: Error, Hashable, Sendable, CustomStringConvertible {
    package let path: String
    package let reason: String

    package var description: String { "\(path): \(reason)" }
}

enum PrivateFile {
    static let bytesMax = 65_536

    /// Nil when there is no such file; a fault when others than the owner may read it.
    static func read(_ path: String) throws(KeyFileFault) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw fault(path, "cannot be opened")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw fault(path, "cannot be looked at") }
        guard status.st_mode & 0o077 == 0 else {
            throw KeyFileFault(path: path, reason: "may be read by others; it needs mode 0600")
        }
        guard status.st_size <= bytesMax else { throw KeyFileFault(path: path, reason: "is too long for a key file") }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var filled = 0
        while filled < bytes.count {
            let wanted = bytes.count - filled
            let count = bytes.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress?.advanced(by: filled), wanted)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw fault(path, "cannot be read") }
            filled += count
        }
        return bytes
    }

    /// Makes the file unless it is there; false when somebody else made it first.
    static func create(_ path: String, _ bytes: [UInt8]) throws(KeyFileFault) -> Bool {
        let draft = try writeDraft(of: path, bytes)
        defer { unlink(draft) }
        if link(draft, path) == 0 {
            syncFolder(of: path)
            return true
        }
        guard errno == EEXIST else { throw fault(path, "cannot be made") }
        return false
    }

    static func replace(_ path: String, _ bytes: [UInt8]) throws(KeyFileFault) {
        let draft = try writeDraft(of: path, bytes)
        guard rename(draft, path) == 0 else {
            let failure = fault(path, "cannot be replaced")
            unlink(draft)
            throw failure
        }
        syncFolder(of: path)
    }

    static func move(_ path: String, to target: String) throws(KeyFileFault) {
        guard rename(path, target) == 0 else { throw fault(target, "cannot be replaced") }
        syncFolder(of: target)
    }

    static func remove(_ path: String) throws(KeyFileFault) {
        guard unlink(path) == 0 || errno == ENOENT else { throw fault(path, "cannot be removed") }
        syncFolder(of: path)
    }

    /// Makes the folder with mode 0700, parents too; an existing one stays as it is.
    static func makeFolder(_ path: String) throws(KeyFileFault) {
        do {
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw KeyFileFault(path: path, reason: "the folder cannot be made")
        }
    }

    private static func writeDraft(of path: String, _ bytes: [UInt8]) throws(KeyFileFault) -> String {
        let draft = "\(path).\(getpid()).\(UInt32.random(in: 0 ... .max)).draft"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw fault(draft, "cannot be made") }
        defer { close(descriptor) }
        let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        guard count == bytes.count, fsync(descriptor) == 0 else {
            let failure = fault(draft, "cannot be written")
            unlink(draft)
            throw failure
        }
        return draft
    }

    /// So that the name outlives a power cut, too.
    private static func syncFolder(of path: String) {
        let descriptor = open((path as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    private static func fault(_ path: String, _ reason: String) -> KeyFileFault {
        KeyFileFault(path: path, reason: "\(reason) (\(String(cString: strerror(errno))))")
    }
}
