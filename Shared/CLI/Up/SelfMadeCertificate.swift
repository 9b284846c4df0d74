// The certificate of `usher up --tls`: made with openssl, kept between starts, made anew when it is nearly over.
import Foundation
import Supervision

struct SelfMadeCertificate: Sendable {
    private static let program = "openssl"
    private static let days = 365
    /// A certificate with less than this left is made anew.
    private static let leftMin = Duration.seconds(7 * 86_400)
    private static let patience = Duration.seconds(20)

    let folder: String

    var certificateFile: String { folder + "/certificate.pem" }
    var keyFile: String { folder + "/key.pem" }

    /// - Returns: whether it was made now.
    func prepare() async throws -> Bool {
        if await isGood() { return false }
        try FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        // Beside each other under names of their own first: a start that is cut off leaves no half pair behind.
        let fresh = SelfMadeCertificate(folder: folder + "/new")
        try? FileManager.default.removeItem(atPath: fresh.folder)
        try FileManager.default.createDirectory(
            atPath: fresh.folder,
            withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700]
        )
        guard
            await openssl([
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-sha256", "-nodes",
                "-days", "\(Self.days)", "-subj", "/CN=localhost",
                "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1",
                "-addext", "keyUsage=critical,digitalSignature", "-addext", "extendedKeyUsage=serverAuth",
                "-keyout", fresh.keyFile, "-out", fresh.certificateFile,
            ])
        else { throw UpFault("openssl could not make a certificate: see \(folder)/openssl.log") }
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: fresh.keyFile)
        for (from, to) in [(fresh.keyFile, keyFile), (fresh.certificateFile, certificateFile)] {
            guard rename(from, to) == 0 else { throw UpFault("\(to) cannot be written") }
        }
        try? FileManager.default.removeItem(atPath: fresh.folder)
        return true
    }

    /// Both files are there, belong together, and the certificate does not end soon.
    private func isGood() async -> Bool {
        guard FileManager.default.fileExists(atPath: certificateFile), FileManager.default.fileExists(atPath: keyFile)
        else { return false }
        return await openssl([
            "x509", "-in", certificateFile, "-noout", "-checkend", "\(Self.leftMin.components.seconds)",
        ])
    }

    private func openssl(_ arguments: [String]) async -> Bool {
        let launch = ChildProcess.Launch(
            executable: Self.program,
            arguments: arguments,
            logFile: FileManager.default.fileExists(atPath: folder) ? folder + "/openssl.log" : nil
        )
        guard let process = try? ChildProcess.start(launch) else { return false }
        return await process.waitForExit(atMost: Self.patience) == .status(0)
    }
}
