// What goes into the history of a sale: each step with the time before it was asked and after it was answered.
import Foundation
import Histories
import UsherAPI

extension Visitor {
    func recording(
        hold seats: [String],
        _ body: () async throws(Departure) -> (Reaction, Reply?)
    ) async throws(Departure) -> (Reaction, Reply?) {
        guard let recorder = sale.recorder else { return try await body() }
        let called = SaleRecorder.now()
        let nameless = "unanswered-\(Self.randomHex(bytes: 8))"
        func note(_ seats: [String], _ result: String, hold: String, until: Int64? = nil) {
            let returned = result == "unknown" ? nil : SaleRecorder.now()
            recorder.note(
                .init(
                    op: "hold",
                    called: called,
                    returned: returned,
                    result: result,
                    seats: seats,
                    hold: hold,
                    until: until
                )
            )
        }
        let (reaction, reply): (Reaction, Reply?)
        do throws(Departure) {
            (reaction, reply) = try await body()
        } catch {
            // It may have been taken all the same, unless the answer was that nothing is left.
            if case .toldSoldOut = error.ending {} else { note(seats, "unknown", hold: nameless) }
            throw error
        }
        if reaction == .goOn, let reply, let hold = try? JSONDecoder().decode(HoldReply.self, from: Data(reply.body)),
            let until = Self.milliseconds(hold.expiresAt)
        {
            note(hold.seats, "until", hold: hold.id, until: until)
        } else if reaction == .pickAgain, let taken = Self.problem(reply)?.unavailableSeats {
            note(taken, "taken", hold: nameless)
        }
        return (reaction, reply)
    }

    func recording(
        order hold: HoldReply,
        _ body: () async throws(Departure) -> (Reaction, Reply?)
    ) async throws(Departure) -> (Reaction, Reply?) {
        guard let recorder = sale.recorder else { return try await body() }
        let called = SaleRecorder.now()
        func note(_ result: String, order: String, until: Int64? = nil) {
            recorder.note(
                .init(
                    op: "order",
                    called: called,
                    returned: result == "unknown" ? nil : SaleRecorder.now(),
                    result: result,
                    seats: hold.seats,
                    hold: hold.id,
                    order: order,
                    until: until
                )
            )
        }
        let nameless = "unanswered-\(Self.randomHex(bytes: 8))"
        let (reaction, reply): (Reaction, Reply?)
        do throws(Departure) {
            (reaction, reply) = try await body()
        } catch {
            note("unknown", order: nameless)
            throw error
        }
        if reaction == .goOn, let reply, let order = try? JSONDecoder().decode(OrderReply.self, from: Data(reply.body)),
            let until = Self.milliseconds(order.payBy)
        {
            note("until", order: order.id, until: until)
        } else if let code = Self.problem(reply)?.code, code == .holdLost || code == .holdExpired {
            note("gone", order: nameless)
        } else {
            note("unknown", order: nameless)
        }
        return (reaction, reply)
    }

    func recording(
        payment order: OrderReply,
        _ body: () async throws(Departure) -> Outcome
    ) async throws(Departure) -> Outcome {
        guard let recorder = sale.recorder else { return try await body() }
        let called = SaleRecorder.now()
        func note(_ result: String) {
            recorder.note(
                .init(
                    op: "pay",
                    called: called,
                    returned: result == "unknown" ? nil : SaleRecorder.now(),
                    result: result,
                    seats: order.seats.map(\.seat),
                    order: order.id
                )
            )
        }
        let outcome: Outcome
        do throws(Departure) {
            outcome = try await body()
        } catch {
            note("unknown")
            throw error
        }
        switch outcome {
        case .sold: note("sold")
        case .lost: note("gone")
        case .declined: note("unknown")
        }
        return outcome
    }

    private static func problem(_ reply: Reply?) -> Problem? {
        reply.flatMap { try? JSONDecoder().decode(Problem.self, from: Data($0.body)) }
    }

    private static func milliseconds(_ text: String) -> Int64? {
        let date = try? Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        return date.map { Int64(($0.timeIntervalSince1970 * 1000).rounded()) }
    }
}
