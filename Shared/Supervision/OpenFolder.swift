import Foundation
import Glibc

/// A folder held open, so that a child under another account can use it although it may not enter the folders above.
///
/// The descriptor is numbered above every number given to a child, so that handing over several cannot mix them up.
final class OpenFolder: Sendable {
    private static let descriptorMin: Int32 = 100

    let descriptor: Int32

    /// Makes the folder with mode 0700 when it is missing and gives it to `account`.
    init(path: String, account: SystemAccount?) throws(SupervisionFailure) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw .cannotStart(program: "postgres", reason: "folder \(path) cannot be made: \(error)")
        }
        let first = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard first >= 0 else { throw Self.failure(path) }
        defer { close(first) }
        if let account, fchown(first, account.userID, account.groupID) != 0 { throw Self.failure(path) }
        guard fchmod(first, 0o700) == 0 else { throw Self.failure(path) }
        descriptor = fcntl(first, F_DUPFD_CLOEXEC, Self.descriptorMin)
        guard descriptor >= 0 else { throw Self.failure(path) }
    }

    deinit { close(descriptor) }

    private static func failure(_ path: String) -> SupervisionFailure {
        .cannotStart(program: "postgres", reason: "folder \(path): \(String(cString: strerror(errno)))")
    }
}

/// An account of the operating system.
struct SystemAccount: Sendable {
    let name: String
    let userID: uid_t
    let groupID: gid_t

    init?(named name: String) {
        guard let entry = getpwnam(name) else { return nil }
        self.name = name
        userID = entry.pointee.pw_uid
        groupID = entry.pointee.pw_gid
    }
}
