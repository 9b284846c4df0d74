// Reading hex, flipping bits, and finding the published test data.
import Foundation
import Signing
import Testing

/// White space between the digits is allowed.
func bytes(_ hex: String) throws -> [UInt8] {
    try #require(Hex.decode(hex.filter { !$0.isWhitespace }))
}

func flipping(_ bit: Int, of bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    bytes[bit / 8] ^= 1 << UInt8(bit % 8)
    return bytes
}

/// The file's bytes; nil, and one line saying so, when the corpora are not on this machine.
func corpus(_ path: String) throws -> Data? {
    let package = URL(fileURLWithPath: #filePath).appendingPathComponent("../../..").standardizedFileURL.path
    let folder = ProcessInfo.processInfo.environment["USHER_CORPORA"] ?? "\(package)/../shared/corpora"
    guard FileManager.default.fileExists(atPath: folder) else {
        print("skipped: no corpora (\(path))")
        return nil
    }
    return try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(path)"))
}
