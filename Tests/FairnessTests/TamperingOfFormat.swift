// Numbers nobody can mean: an audit must say so, not stop.
@testable import Fairness
import Signing

extension Tampering {
    static let ofTheFormat = [
        Tampering(name: "a negative generation", room: .ties, failing: ["format"]) { bundle, _ in
            bundle.header.generation = -1
        },
        Tampering(name: "a room of 300 letters", room: .ties, failing: ["format"]) { bundle, _ in
            bundle.header.room = String(repeating: "a", count: 300)
        },
        Tampering(name: "a version beyond numbers", room: .strict, failing: ["format"]) { bundle, _ in
            bundle.header.policies[0].version = Int.max
        },
        Tampering(name: "a seal at the end of time", room: .lottery, failing: ["format"]) { bundle, _ in
            bundle.header.seal?.at = Int64.max
        },
        Tampering(name: "a seal of everybody there could be", room: .lottery, failing: ["format"]) { bundle, _ in
            bundle.header.seal?.count = UInt64.max
        },
        Tampering(name: "the last round", room: .lottery, failing: ["format"]) { bundle, _ in
            bundle.header.draw?.round = UInt64.max
        },
        Tampering(name: "round nought", room: .lottery, failing: ["format"]) { bundle, _ in
            bundle.header.draw?.round = 0
        },
        Tampering(name: "an arrival before time", room: .strict, failing: ["format"]) { bundle, _ in
            var entries = bundle.entries
            entries[5] = RoomFixture.entry(of: 5, at: -1)
            bundle.setEntries(entries)
            bundle.set(moves: bundle.moves)
        },
        Tampering(name: "a tie beyond numbers", room: .ties, failing: ["format"]) { bundle, _ in
            bundle.set(ties: bundle.ties + [TiedNumbers(first: 301, count: UInt64.max)], moves: bundle.moves)
        },
        Tampering(name: "a tie of numbers nobody has", room: .ties, failing: ["ties", "ranks"]) { bundle, _ in
            bundle.set(ties: bundle.ties + [TiedNumbers(first: 1 << 40, count: 1 << 31)], moves: bundle.moves)
        },
        Tampering(name: "a call beyond numbers", room: .strict, failing: ["format"]) { bundle, _ in
            bundle.set(moves: bundle.moves + [CursorMove(cursor: UInt64.max, milliseconds: Int64.max)])
        },
        Tampering(name: "an endless claim window", room: .strict, failing: ["policies"]) { bundle, _ in
            let document = bundle.header.policies[0].document
            bundle.header.policies[0].document = document.replacing("120", with: "9223372036854775807")
        },
    ]
}
