// Reads a room's bundle from a gateway, piece by piece.
import AsyncHTTPClient
import Fairness
import Foundation
import NIOCore
import NIOHTTP1

struct PublishedBundle: Sendable {
    private static let timeout = TimeAmount.seconds(30)
    private static let pieceBytesMax = 1 << 20
    private static let tries = 3

    let gateway: String
    let room: String

    private var address: String {
        let base = gateway.hasSuffix("/") ? String(gateway.dropLast()) : gateway
        return "\(base)/v1/rooms/\(room)/audit"
    }

    /// The bytes of a bundle's file: the header as it was sent, then each section as long as the header says.
    func file(progress: (Int) -> Void) async throws -> [UInt8] {
        let line = try await get(address, bytesMax: RoomBundle.headerBytesMax)
        let header = try RoomBundle.header(line)
        // A header may be written over several lines; in a file it is one.
        var file = line.map { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") ? UInt8(ascii: " ") : $0 }
        file.append(UInt8(ascii: "\n"))
        for section in header.sections {
            guard RoomBundle.Section(rawValue: section.name) != nil else {
                throw BundleFlaw("section \(section.name) is unknown")
            }
            guard (0...RoomBundle.sectionBytesMax).contains(section.bytes) else {
                throw BundleFlaw("section \(section.name) is too long")
            }
            let end = file.count + section.bytes
            while file.count < end {
                let missing = end - file.count
                let from = section.bytes - missing
                let piece = try await get("\(address)/\(section.name)?from=\(from)", bytesMax: Self.pieceBytesMax)
                guard !piece.isEmpty else { throw BundleFlaw("section \(section.name) ends at byte \(from)") }
                // A room that is open goes on growing: what the header does not name is left out.
                file.append(contentsOf: piece.prefix(missing))
                progress(file.count)
            }
        }
        return file
    }

    private func get(_ url: String, bytesMax: Int) async throws -> [UInt8] {
        for attempt in 1...Self.tries {
            do {
                let reply = try await HTTPClient.shared.execute(HTTPClientRequest(url: url), timeout: Self.timeout)
                let body = try await reply.body.collect(upTo: bytesMax)
                if reply.status == .ok { return Array(body.readableBytesView) }
                let isForNow = reply.status.code == 503 || reply.status.code == 429
                guard isForNow, attempt < Self.tries else { throw BundleFlaw("\(url) answers \(reply.status.code)") }
            } catch let error as HTTPClientError {
                guard attempt < Self.tries else { throw error }
            }
            try await Task.sleep(for: .seconds(attempt))
        }
        throw BundleFlaw("\(url) does not answer")
    }
}
