import Foundation
import NIOSSL
import Testing

/// A folder with a certificate for localhost and its key, made with openssl.
struct TestCertificate: Sendable {
    let folder: String
    var certificateFile: String { folder + "/chain.pem" }
    var keyFile: String { folder + "/key.pem" }

    /// Runs `body` with a fresh certificate; the folder is removed afterwards.
    static func with(_ body: (TestCertificate) async throws -> Void) async throws {
        let folder = "/tmp/usher-tls-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let certificate = TestCertificate(folder: folder)
        try certificate.make()
        try await body(certificate)
    }

    /// Writes a new certificate and key over the old.
    func make(days: Int = 30) throws {
        try Self.openssl([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "\(days)",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", keyFile,
            "-out", certificateFile,
        ])
    }

    static func openssl(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }

    /// A visitor who trusts this certificate alone.
    func trust(_ change: (inout TLSConfiguration) -> Void = { _ in }) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(certificateFile)
        configuration.certificateVerification = .noHostnameVerification
        configuration.applicationProtocols = ["h2", "http/1.1"]
        change(&configuration)
        return try NIOSSLContext(configuration: configuration)
    }
}
