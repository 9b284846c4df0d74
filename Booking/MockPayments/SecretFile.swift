// A secret in a file only its owner can read, made at the first start.

import Foundation
import Signing

enum SecretFile {
    static let lengthMax = 512

    /// The secret in the file at `path`; a file that is not there is made with `prefix` and 24 random bytes in hex.
    static func read(path: String, prefix: String) throws(StartFault) -> String {
        if !FileManager.default.fileExists(atPath: path) { try make(path: path, prefix: prefix) }
        guard let bytes = FileManager.default.contents(atPath: path), bytes.count <= lengthMax,
            let text = String(bytes: bytes, encoding: .utf8)
        else { throw .secretUnreadable(path: path) }
        let secret = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard secret.hasPrefix(prefix), secret.count > prefix.count, !secret.contains(where: \.isWhitespace) else {
            throw .secretMalformed(path: path, prefix: prefix)
        }
        return secret
    }

    private static func make(path: String, prefix: String) throws(StartFault) {
        let folder = (path as NSString).deletingLastPathComponent
        if !folder.isEmpty {
            try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }
        // Under a name of its own first, so that nobody reads a half-written secret.
        let draft = "\(path).\(getpid())"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .secretUnwritable(path: path, reason: String(cString: strerror(errno))) }
        let line = Array("\(prefix)\(Hex.encode(SecureRandom.bytes(24)))\n".utf8)
        let written = line.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        close(descriptor)
        // link, not rename: when another process was first, its secret stays.
        let linked = link(draft, path)
        let reason = String(cString: strerror(errno))
        unlink(draft)
        guard written == line.count, linked == 0 || FileManager.default.fileExists(atPath: path) else {
            throw .secretUnwritable(path: path, reason: reason)
        }
    }
}

/// Why the provider does not start.
enum StartFault: Error, CustomStringConvertible {
    case secretUnreadable(path: String)
    case secretMalformed(path: String, prefix: String)
    case secretUnwritable(path: String, reason: String)
    case ledgerUnwritable(path: String, reason: String)
    case ledgerInUse(path: String)
    case addressInUse(address: String, port: Int)

    var description: String {
        switch self {
        case .secretUnreadable(let path): "secret file \(path) cannot be read"
        case .secretMalformed(let path, let prefix): "secret file \(path) must hold a secret that starts with \(prefix)"
        case .secretUnwritable(let path, let reason): "secret file \(path) cannot be made: \(reason)"
        case .ledgerUnwritable(let path, let reason): "ledger \(path) cannot be written: \(reason)"
        case .ledgerInUse(let path): "ledger \(path) is in use by another process"
        case .addressInUse(let address, let port): "port \(port) of \(address) is in use"
        }
    }
}
