import Foundation

/// The PostgreSQL programs of this machine. Debian keeps each major version in a folder of its own.
struct PostgresInstallation: Sendable {
    private static let versionsFolder = "/usr/lib/postgresql"

    let binFolder: String

    /// The newest version, or the one that wrote `dataFolder`: a data folder belongs to one major version.
    init(for dataFolder: String) throws(SupervisionFailure) {
        let folders = (try? FileManager.default.contentsOfDirectory(atPath: Self.versionsFolder)) ?? []
        let versions = folders.compactMap(Int.init).filter {
            FileManager.default.isExecutableFile(atPath: "\(Self.versionsFolder)/\($0)/bin/postgres")
        }
        let written = try? String(contentsOfFile: "\(dataFolder)/PG_VERSION", encoding: .utf8)
        let version = written.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        guard let chosen = version ?? versions.max(), versions.contains(chosen) else {
            throw .missing(
                program: version.map { "PostgreSQL \($0), which wrote \(dataFolder)," } ?? "PostgreSQL",
                install: version.map { "postgresql-\($0)" } ?? "postgresql"
            )
        }
        binFolder = "\(Self.versionsFolder)/\(chosen)/bin"
    }

    func path(of program: String) -> String { "\(binFolder)/\(program)" }
}
