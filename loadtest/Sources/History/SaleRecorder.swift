// Writes down what visitors did to seats and what they were told, for a check of the whole history afterwards.
import Foundation
import Histories
import Synchronization
import UsherAPI

final class SaleRecorder: Sendable {
    /// A record is some hundred bytes.
    static let recordsMax = 5_000_000
    /// Looks at the whole map are long: only so many are kept.
    static let looksMax = 500

    private struct State {
        var records: [SeatRecord] = []
        var looks = 0
        var isFull = false
    }

    private let state = Mutex(State())

    /// Milliseconds since 1970, as the deadlines in answers are.
    static func now() -> Int64 { Int64((Date().timeIntervalSince1970 * 1000).rounded(.down)) }

    func note(_ record: SeatRecord) {
        state.withLock { state in
            guard state.records.count < Self.recordsMax else {
                state.isFull = true
                return
            }
            state.records.append(record)
        }
    }

    func noteLook(_ map: SeatMapReply, called: Int64) {
        let returned = Self.now()
        let isKept = state.withLock { state in
            state.looks += 1
            return state.looks <= Self.looksMax
        }
        guard isKept else { return }
        var seats: [String] = []
        var letters = ""
        for section in map.sections {
            for row in section.rows {
                seats += row.seats.indices.enumerated().map { "\(section.name)-\(row.label)-\(row.first + $0.offset)" }
                letters += row.seats
            }
        }
        note(.init(op: "look", called: called, returned: returned, result: "seen", seats: seats, letters: letters))
    }

    /// One JSON object a line. Nil when more happened than was kept.
    func lines() throws -> Data? {
        let (records, isFull) = state.withLock { ($0.records, $0.isFull) }
        guard !isFull else { return nil }
        let encoder = JSONEncoder()
        var lines = Data()
        for record in records {
            lines.append(try encoder.encode(record))
            lines.append(UInt8(ascii: "\n"))
        }
        return lines
    }
}
