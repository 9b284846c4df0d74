// Reads the answers of the seat functions: `ok` and values, or the word of a refusal.

import Ordering
import Redis

struct HoldReply {
    private let value: RedisValue

    init(_ value: RedisValue) { self.value = value }

    /// All words of an `ok` answer.
    func words() throws(HoldFailure) -> [String] { try words(limit: 0) }

    private func words(limit: Int) throws(HoldFailure) -> [String] {
        if let message = value.asError { throw .inventoryUnavailable(message) }
        let words = (value.asArray ?? []).compactMap(\.asText)
        switch words.first {
        case "ok": return words
        case "taken": throw .seatsTaken(Self.seats(words.dropFirst().first ?? ""))
        case "orphan": throw .orphanSeats(Self.seats(words.dropFirst().first ?? ""))
        case "few": throw .tooFewFree(words.dropFirst().first.flatMap { Int($0) } ?? 0)
        case "apart": throw .notTogether
        case "limit":
            throw .limitExceeded(limit: limit, remaining: words.dropFirst().first.flatMap { Int($0) } ?? 0)
        case "cooling":
            throw .coolingDown(.milliseconds(words.dropFirst().first.flatMap { Int64($0) } ?? 0))
        case "spent": throw .extensionsSpent
        case "waiting": throw .keptForWaiting
        case "pass_bound": throw .passBound
        case "expired": throw .expired
        case "not_found": throw .notFound
        case "stale": throw .inventoryUnavailable("a later epoch is loaded")
        case "unavailable": throw .inventoryUnavailable(words.dropFirst().first ?? "")
        default: throw .inventoryUnavailable("unexpected answer \(value)")
        }
    }

    func number(at index: Int) throws(HoldFailure) -> Int {
        let words = try words()
        guard words.indices.contains(index), let number = Int(words[index]) else {
            throw .inventoryUnavailable("unexpected answer \(value)")
        }
        return number
    }

    func hold(_ id: HoldID, in session: SessionID, limit: Int = 0) throws(HoldFailure) -> Hold {
        let words = try words(limit: limit)
        guard words.count == 6,
            let state = Hold.State(rawValue: words[1]),
            let fence = Int64(words[2]),
            let deadline = Int64(words[3]),
            let account = AccountID(words[4])
        else { throw .inventoryUnavailable("unexpected answer \(value)") }
        return Hold(
            id: id,
            session: session,
            account: account,
            seats: Self.seats(words[5]),
            state: state,
            fence: fence,
            deadline: Moment(milliseconds: deadline)
        )
    }

    private static func seats(_ text: String) -> [SeatNumber] {
        text.split(separator: ",").compactMap { SeatNumber($0) }
    }
}
