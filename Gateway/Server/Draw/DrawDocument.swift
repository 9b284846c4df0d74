// The record of a draw: everything that is needed to draw it again.
package import Fairness
import Foundation
package import Queueing
import Signing
package import UsherAPI

extension DrawDocument {
    /// A draw with a round of the beacon, or with the room's own secret.
    package enum Value: Sendable, Equatable {
        case round(BeaconRound, chain: BeaconChain)
        case secret([UInt8])

        var kind: DrawSeed.Kind {
            switch self {
            case .round: .drand
            case .secret: .commitReveal
            }
        }

        var bytes: [UInt8] {
            switch self {
            case .round(let round, _): round.randomness
            case .secret(let secret): secret
            }
        }
    }

    init(room: RoomSnapshot, root: Digest, count: UInt64, value: Value) {
        let seed = Self.seed(room: room, root: root, count: count, value: value)
        let beacon: RoomPolicy.Beacon = value.kind == .drand ? .drand : .commitReveal
        self.init(
            version: DrawSeed.version,
            kind: beacon.rawValue,
            value: Hex.encode(value.bytes),
            root: root.hex,
            count: count,
            seed: seed.hex
        )
        if case .round(let beacon, let chain) = value {
            round = beacon.round
            self.chain = chain.hexHash
            signature = Hex.encode(beacon.signature)
        }
    }

    static func seed(room: RoomSnapshot, root: Digest, count: UInt64, value: Value) -> Digest {
        DrawSeed.of(
            room: room.name.text,
            generation: room.generation,
            root: root,
            count: count,
            kind: value.kind,
            value: value.bytes
        )
    }

    package init?(_ text: String) {
        guard let document = try? JSONDecoder().decode(Self.self, from: Foundation.Data(text.utf8)) else { return nil }
        self = document
    }

    package var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    /// The seed, when everything in the document follows from what the room shows; otherwise what does not.
    package func verifiedSeed(of room: RoomSnapshot, root: Digest, chain: BeaconChain) throws(DrawFlaw) -> Digest {
        guard version == DrawSeed.version else { throw DrawFlaw("version \(version) is not known") }
        guard count == room.order.cohort else { throw DrawFlaw("it counts \(count) places, the seal does not") }
        guard root.hex == self.root else {
            throw DrawFlaw("the arrivals it was drawn over are not those that are here")
        }
        let again = DrawDocument(room: room, root: root, count: count, value: try readValue(of: room, chain: chain))
        guard again == self, let seed = Hex.decode(seed).flatMap({ Digest($0) }) else {
            throw DrawFlaw("the seed is not made of what it names")
        }
        return seed
    }

    private func readValue(of room: RoomSnapshot, chain: BeaconChain) throws(DrawFlaw) -> Value {
        guard kind == room.policy.beacon?.rawValue else { throw DrawFlaw("the policy names another beacon") }
        guard kind == RoomPolicy.Beacon.drand.rawValue else { return .secret(room.order.secret) }
        guard self.chain == chain.hexHash, let round, let signature = signature.flatMap(Hex.decode),
            let beacon = BeaconRound(round: round, signature: signature)
        else { throw DrawFlaw("the beacon's round is incomplete, or of another chain") }
        guard let opens = room.policy.schedule.saleOpensAt else { throw DrawFlaw("the policy names no round") }
        let first = DrawRound.first(chain: chain, saleOpensAt: opens, sealedAt: room.order.sealedAt)
        guard
            round == first
                || room.order.rounds.contains(where: { $0.round == round && $0.at < chain.moment(of: round) })
        else { throw DrawFlaw("round \(round) was not named before its time") }
        return .round(beacon, chain: chain)
    }
}

package struct DrawFlaw: Error, Equatable, CustomStringConvertible {
    package var description: String

    init(_ description: String) { self.description = description }
}
