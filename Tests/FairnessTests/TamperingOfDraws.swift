// What an operator might do to the draw, the beacon, the record of calls and the policy.
@testable import Fairness
import Signing

extension Tampering {
    static let ofTheDraw = [
        Tampering(name: "the seed is swapped", room: .lottery, failing: ["draw"]) { bundle, _ in
            bundle.header.draw?.seed = Digest.of(Array("a better seed".utf8)).hex
        },
        Tampering(
            name: "the beacon's value is swapped",
            room: .lottery,
            failing: ["beacon"],
            before: { room in
                room.changeDraw = { $0.value = Digest.of(Array("a better value".utf8)).hex }
            }
        ),
        Tampering(
            name: "a later round is taken",
            room: .lottery,
            failing: ["beacon"],
            before: { room in
                room.round = 1001
                room.moveStart += 3000
            }
        ),
        Tampering(
            name: "a round is claimed to be another",
            room: .lottery,
            failing: ["beacon"],
            before: { room in
                room.changeDraw = { $0.round = 1002 }
                room.moveStart += 6000
            }
        ),
        Tampering(
            name: "a better round is named too soon",
            room: .lottery,
            failing: ["beacon"],
            before: { room in
                room.changeDraw = { draw in
                    draw.round = 1020
                    draw.named = [BundleHeader.Named(round: 1020, at: Quicknet.milliseconds(of: 1000) + 29_999)]
                }
                room.moveStart += 60_000
            }
        ),
        Tampering(
            name: "a round is named when it is known",
            room: .lottery,
            failing: ["beacon"],
            before: { room in
                room.changeDraw = { draw in
                    draw.round = 1020
                    draw.named = [BundleHeader.Named(round: 1020, at: Quicknet.milliseconds(of: 1020))]
                }
                room.moveStart += 60_000
            }
        ),
        Tampering(
            name: "the seal waits until the round is known",
            room: .lottery,
            failing: ["beacon"],
            before: { room in
                room.sealedAt = Quicknet.milliseconds(of: 1000) - 2999
                for index in 240..<300 {
                    room.entries[index] = RoomFixture.entry(of: index, at: room.sealedAt + Int64(index))
                }
                room.checkpointSizes = [1, 100, 240]
            }
        ),
        Tampering(name: "the reveal of a lottery is withheld", room: .commitReveal, failing: ["commitment", "beacon"]) {
            bundle,
            _ in
            bundle.header.secret = nil
        },
        Tampering(name: "a lottery is drawn with another secret", room: .commitReveal, failing: ["commitment"]) {
            bundle,
            _ in
            bundle.header.commitment = Commitment.of(room: "arena", generation: 1, secret: [UInt8](0..<32)).hex
        },
        Tampering(
            name: "people are called before the draw",
            room: .lottery,
            failing: ["moves"],
            before: { room in
                room.moveStart = Quicknet.milliseconds(of: 1000) - 1
            }
        ),
    ]

    static let ofTheRecord = [
        Tampering(name: "calls are reordered", room: .lottery, failing: ["moves"]) { bundle, _ in
            var moves = bundle.moves
            (moves[3].cursor, moves[4].cursor) = (moves[4].cursor, moves[3].cursor)
            bundle.set(moves: moves, claims: bundle.claims)
        },
        Tampering(name: "passes are reordered", room: .lottery, failing: ["order"]) { bundle, _ in
            var claims = bundle.claims
            claims.swapAt(10, 40)
            bundle.set(moves: bundle.moves, claims: claims)
        },
        Tampering(name: "somebody goes in before the call", room: .lottery, failing: ["claims"]) { bundle, _ in
            var claims = bundle.claims
            claims[30].number = claims[60].number
            claims.remove(at: 60)
            bundle.set(moves: bundle.moves, claims: claims)
        },
        Tampering(name: "somebody who was never called goes in", room: .strict, failing: ["claims"]) { bundle, _ in
            let late = GrantedClaim(number: 299, milliseconds: (bundle.claims.last?.milliseconds ?? 0) + 1)
            bundle.set(moves: bundle.moves, claims: bundle.claims + [late])
        },
        Tampering(name: "somebody goes in twice", room: .strict, failing: ["order"]) { bundle, _ in
            let again = GrantedClaim(number: 1, milliseconds: (bundle.claims.last?.milliseconds ?? 0) + 1)
            bundle.set(moves: bundle.moves, claims: bundle.claims + [again])
        },
        Tampering(name: "nobody goes in", room: .strict, failing: ["order", "claims"]) { bundle, _ in
            let ghost = GrantedClaim(number: 301, milliseconds: (bundle.claims.last?.milliseconds ?? 0) + 1)
            bundle.set(moves: bundle.moves, claims: bundle.claims + [ghost])
        },
        Tampering(name: "a policy is rewritten", room: .strict, failing: ["policies"]) { bundle, _ in
            let document = bundle.header.policies[0].document
            bundle.header.policies[0].document = document.replacing("120", with: "121")
        },
        Tampering(
            name: "the order changes while people wait",
            room: .strict,
            failing: ["policies"],
            before: { room in
                room.documents.append(room.document(method: "lottery"))
            }
        ),
        Tampering(name: "the secret of the ties is forged", room: .ties, failing: ["commitment"]) {
            bundle,
            _ in
            bundle.header.secret = Hex.encode([UInt8](repeating: 43, count: 32))
        },
        Tampering(name: "the secret of the ties is withheld", room: .ties, failing: ["commitment"]) { bundle, _ in
            bundle.header.secret = nil
        },
        Tampering(
            name: "somebody is left out of a tie",
            room: .ties,
            failing: ["ties"],
            before: { room in
                room.tiesListed = { ties in ties.enumerated().filter { $0.offset != 70 }.map(\.element) }
            },
            after: { bundle, _ in bundle.set(ties: bundle.ties, moves: bundle.moves) }
        ),
        Tampering(name: "a tie is made larger than its window", room: .ties, failing: ["ties"]) { bundle, _ in
            var ties = bundle.ties
            ties[5].count -= 1
            bundle.set(ties: ties, moves: bundle.moves)
        },
    ]
}
