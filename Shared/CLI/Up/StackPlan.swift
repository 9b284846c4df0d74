import Foundation

/// Where everything of one running Usher is: folders, ports, addresses.
struct StackPlan: Sendable {
    let dataFolder: String
    let pagesFolder: String
    let gatewayPort: Int
    /// Nil without TLS.
    let tlsPort: Int?
    let adminPort: Int
    let bookingPort: Int
    let bookingOperationsPort: Int
    let paymentsPort: Int
    /// A service that ends again and again is started after growing pauses, up to this one.
    let restartPauseMax: Duration
    /// Short and private, because a socket path ends at 107 bytes.
    let socketFolder: String
    /// Where the programs are: beside this one.
    let programFolder: String

    static let address = "127.0.0.1"

    init(_ up: Up) {
        let here = URL(filePath: FileManager.default.currentDirectoryPath, directoryHint: .isDirectory)
        dataFolder = Self.absolute(up.data, here)
        pagesFolder = Self.absolute(up.pages, here)
        gatewayPort = up.gatewayPort
        tlsPort = up.tls ? up.tlsPort : nil
        adminPort = up.adminPort
        bookingPort = up.bookingPort
        bookingOperationsPort = up.bookingOperationsPort
        paymentsPort = up.paymentsPort
        restartPauseMax = .seconds(up.restartPauseMax)
        socketFolder = "/tmp/usher-\(getuid())-\(getpid())"
        let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "/usr/bin/usher"
        programFolder = URL(filePath: program).deletingLastPathComponent().path()
    }

    private static func absolute(_ path: String, _ here: URL) -> String {
        let full = URL(filePath: path, relativeTo: here).standardizedFileURL.path()
        return full.count > 1 && full.hasSuffix("/") ? String(full.dropLast()) : full
    }

    var keysFolder: String { dataFolder + "/keys" }
    var logsFolder: String { dataFolder + "/logs" }
    var postgresFolder: String { dataFolder + "/postgres" }
    var redisFolder: String { dataFolder + "/redis" }
    var paymentsFolder: String { dataFolder + "/payments" }
    var ledger: String { paymentsFolder + "/ledger.jsonl" }
    var adminTokenFile: String { keysFolder + "/admin.token" }
    var providerKeyFile: String { keysFolder + "/provider.key" }
    var webhookSecretFile: String { keysFolder + "/webhook.secret" }
    var certificate: SelfMadeCertificate { SelfMadeCertificate(folder: dataFolder + "/tls") }
    var runFile: String { dataFolder + "/run.json" }

    var gateway: String { "http://\(Self.address):\(gatewayPort)" }
    var gatewayTLS: String? { tlsPort.map { "https://localhost:\($0)" } }
    var admin: String { "http://\(Self.address):\(adminPort)" }
    var booking: String { "http://\(Self.address):\(bookingPort)" }
    var bookingOperations: String { "http://\(Self.address):\(bookingOperationsPort)" }
    var payments: String { "http://\(Self.address):\(paymentsPort)" }

    /// Port → the program that needs it and the option that moves it.
    var ports: [(port: Int, program: String, option: String)] {
        (tlsPort.map { [($0, "usher-gateway's TLS", "--tls-port")] } ?? []) + [
            (gatewayPort, "usher-gateway", "--gateway-port"),
            (adminPort, "usher-gateway's admin API", "--admin-port"),
            (bookingPort, "usher-booking", "--booking-port"),
            (bookingOperationsPort, "usher-booking's health page", "--booking-operations-port"),
            (paymentsPort, "usher-mock-payments", "--payments-port"),
        ]
    }

    func program(_ name: String) -> String { programFolder + "/" + name }

    func makeFolders() throws {
        for folder in [dataFolder, keysFolder, logsFolder, redisFolder, paymentsFolder] {
            try FileManager.default.createDirectory(
                atPath: folder,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: folder == keysFolder ? 0o700 : 0o755]
            )
        }
        // A folder that is there already is somebody else's: never use it.
        guard mkdir(socketFolder, 0o711) == 0 else { throw UpFault("\(socketFolder) cannot be made: remove it") }
    }

    func removeSockets() {
        try? FileManager.default.removeItem(atPath: socketFolder)
        try? FileManager.default.removeItem(atPath: runFile)
    }

    /// Everything but the lock, which is ours.
    func eraseData() throws {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: dataFolder)) ?? []
        for name in names where name != FolderLock.fileName {
            try FileManager.default.removeItem(atPath: dataFolder + "/" + name)
        }
    }
}
