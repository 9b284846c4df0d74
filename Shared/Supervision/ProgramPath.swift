import Glibc
import Foundation

/// Finds programs on the search path.
package enum ProgramPath {
    /// The first executable file of this name in `PATH`, then in `extraFolders`.
    package static func find(_ name: String, extraFolders: [String] = ["/usr/bin", "/usr/local/bin"]) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let folders = path.split(separator: ":").map(String.init) + extraFolders
        return folders.lazy.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }
}
