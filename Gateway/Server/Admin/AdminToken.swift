// The token of the admin API: made on first start, kept in a file only its owner can read.
import Foundation
import Signing

package struct AdminToken: Sendable {
    package static let randomBytes = 32
    package static let fileBytesMax = 1024
    package static let lengthLeast = 32

    private let digest: [UInt8]

    package init(_ text: String) {
        digest = SHA256.digest(Array(text.utf8))
    }

    package struct Fault: Error, CustomStringConvertible {
        package var description: String
    }

    /// Reads the file; makes it, and its folder, when it is not there.
    package static func load(from path: String) throws -> AdminToken {
        if let text = try read(path) { return AdminToken(text) }
        let folder = (path as NSString).deletingLastPathComponent
        if !folder.isEmpty {
            try FileManager.default.createDirectory(
                atPath: folder,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        }
        let fresh = Base64URL.encode(SecureRandom.bytes(randomBytes)) + "\n"
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if file >= 0 {
            defer { close(file) }
            let written = Array(fresh.utf8).withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            guard written == fresh.utf8.count else { throw Fault(description: "\(path) could not be written") }
        } else if errno != EEXIST {
            throw Fault(description: "\(path) could not be made: \(String(cString: strerror(errno)))")
        }
        guard let text = try read(path) else { throw Fault(description: "\(path) was made and is gone") }
        return AdminToken(text)
    }

    private static func read(_ path: String) throws -> String? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        var about = stat()
        guard stat(path, &about) == 0, about.st_mode & 0o077 == 0 else {
            throw Fault(description: "\(path) can be read by others: chmod 600 it")
        }
        guard let bytes = FileManager.default.contents(atPath: path), bytes.count <= fileBytesMax else {
            throw Fault(description: "\(path) cannot be read")
        }
        let text = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard text.utf8.count >= lengthLeast else {
            throw Fault(description: "\(path) holds no token of at least \(lengthLeast) characters")
        }
        return text
    }

    /// Compares digests, so that neither content nor length can be measured.
    package func isShown(in field: String?) -> Bool {
        guard let field, field.utf8.count > 7, field.prefix(7).lowercased() == "bearer " else { return false }
        return ConstantTime.areEqual(SHA256.digest(Array(field.dropFirst(7).utf8)), digest)
    }
}
