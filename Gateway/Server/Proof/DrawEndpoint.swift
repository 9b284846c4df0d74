// GET /v1/rooms/{room}/draw: what a lottery will be drawn with, and what it was drawn with. GET …/receipt: what a place
// was promised.
import EdgeHTTP
import Foundation
import NIOCore
import Queueing
import Signing
import UsherAPI

extension LoopRooms {
    /// 404 in a room without a lottery.
    func draw(_ request: EdgeRequest, room name: Substring) -> RoomAnswer {
        guard let room = room(name) else { return refuse(.notFound, request) }
        let snapshot = room.snapshot
        guard snapshot.policy.order == .lottery, let kind = snapshot.policy.beacon else {
            return refuse(.notFound, request, detail: "the room has no lottery")
        }
        let reply = DrawReply(
            room: snapshot.name.text,
            generation: snapshot.generation,
            phase: snapshot.phase.rawValue,
            commitment: Hex.encode(snapshot.order.commitment),
            kind: kind.rawValue,
            beacon: kind == .drand ? beacon(of: snapshot) : nil,
            seal: snapshot.order.cohort.map { .init(count: $0, at: snapshot.order.sealedAt?.rfc3339) },
            draw: snapshot.order.draw.flatMap { DrawDocument($0) },
            asOf: snapshot.asOf.rfc3339
        )
        guard let body = try? ProofReply.body(reply) else { return refuse(.internalError, request) }
        return .now(
            EdgeReply(
                status: 200,
                headers: ["Content-Type": RoomReply.json, "Cache-Control": ProofReply.soon],
                body: body
            )
        )
    }

    private func beacon(of room: RoomSnapshot) -> DrawReply.Beacon? {
        guard let opens = room.policy.schedule.saleOpensAt else { return nil }
        let chain = supplies.beaconChain
        let round = DrawRound.first(chain: chain, saleOpensAt: opens, sealedAt: room.order.sealedAt)
        return DrawReply.Beacon(
            chain: chain.hexHash,
            genesisTime: chain.genesisSeconds,
            periodS: chain.periodSeconds,
            round: round,
            due: chain.moment(of: round).rfc3339,
            named: room.order.rounds.map {
                .init(round: $0.round, at: $0.at.rfc3339, due: chain.moment(of: $0.round).rfc3339)
            }
        )
    }
}
