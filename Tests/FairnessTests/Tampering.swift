// Attack 21 and others: what an operator, or somebody who publishes a bundle, might change. Each names the checks that
// must fail, in this audit and in the Python checker.
@testable import Fairness
import Signing
import Testing

struct Tampering: Sendable, CustomTestStringConvertible {
    let name: String
    let room: RoomFixture.Kind
    let failing: Set<String>
    /// Done by who runs the room: everything else is made to fit.
    let before: @Sendable (inout RoomFixture) throws -> Void
    /// Done to the published bundle.
    let after: @Sendable (inout RoomBundle, RoomFixture) throws -> Void

    init(
        name: String,
        room: RoomFixture.Kind,
        failing: Set<String>,
        before: @escaping @Sendable (inout RoomFixture) throws -> Void,
        after: @escaping @Sendable (inout RoomBundle, RoomFixture) throws -> Void = { _, _ in }
    ) {
        (self.name, self.room, self.failing, self.before, self.after) = (name, room, failing, before, after)
    }

    init(
        name: String,
        room: RoomFixture.Kind,
        failing: Set<String>,
        after: @escaping @Sendable (inout RoomBundle, RoomFixture) throws -> Void
    ) {
        self.init(name: name, room: room, failing: failing, before: { _ in }, after: after)
    }

    var testDescription: String { name }

    func bundle() throws -> RoomBundle {
        var fixture = try RoomFixture(room)
        try before(&fixture)
        var bundle = try fixture.bundle()
        try after(&bundle, fixture)
        return bundle
    }

    static let all = ofTheList + ofTheDraw + ofTheRecord + ofTheFormat

    private static let ofTheList = [
        Tampering(name: "an entrant is removed", room: .lottery, failing: ["tree", "coverage", "draw", "seal"]) {
            bundle,
            _ in
            var entries = bundle.entries
            entries.remove(at: 120)
            bundle.setEntries(entries)
            bundle.set(moves: bundle.moves)
        },
        Tampering(name: "an entrant is added to the drawn list", room: .lottery, failing: ["tree", "draw"]) {
            bundle,
            room in
            var entries = bundle.entries
            entries.insert(RoomFixture.entry(of: 9000, at: room.sealedAt - 1), at: 240)
            bundle.setEntries(entries)
            bundle.header.seal?.count += 1
            bundle.set(moves: bundle.moves)
        },
        Tampering(name: "two entrants change places", room: .lottery, failing: ["tree", "draw"]) { bundle, _ in
            var entries = bundle.entries
            entries.swapAt(10, 200)
            bundle.setEntries(entries)
            bundle.set(moves: bundle.moves)
        },
        Tampering(
            name: "who came after the seal is in the list",
            room: .lottery,
            failing: ["seal"],
            before: { room in
                room.entries[239] = RoomFixture.entry(of: 239, at: room.sealedAt + 1)
            }
        ),
        Tampering(
            name: "who came before the seal is left out",
            room: .lottery,
            failing: ["seal"],
            before: { room in
                room.entries[240] = RoomFixture.entry(of: 240, at: room.sealedAt - 1)
            }
        ),
        Tampering(
            name: "the list is signed after the round came",
            room: .lottery,
            failing: ["seal"],
            before: { room in
                room.checkpointSizes = [1, 100, 239, 256, 300]
            },
            after: { bundle, room in
                bundle.header.checkpoints.removeLast(2)
                bundle.header.checkpoints.append(
                    try room.note(size: 256, at: Quicknet.milliseconds(of: 1000))
                )
            }
        ),
        Tampering(name: "two checkpoints of one size", room: .lottery, failing: ["signatures", "tree"]) {
            bundle,
            room in
            let other = try room.note(size: 256, root: Digest.of(Array("another list".utf8)))
            bundle.header.checkpoints.insert(other, at: 4)
        },
        Tampering(name: "a checkpoint of another list", room: .lottery, failing: ["tree"]) { bundle, room in
            let other = try room.note(size: 250, root: Digest.of(Array("another list".utf8)))
            bundle.header.checkpoints.insert(other, at: 3)
        },
        Tampering(name: "a checkpoint is signed by a stranger", room: .strict, failing: ["signatures"]) {
            bundle,
            room in
            bundle.header.checkpoints[2] = try room.note(size: 240, key: 2)
        },
        Tampering(
            name: "one person has two places",
            room: .strict,
            failing: ["places"],
            before: { room in
                room.entries[290] = RoomFixture.entry(of: 285, at: room.entries[290].milliseconds)
            }
        ),
        Tampering(name: "a section is cut within a record", room: .strict, failing: ["format"]) { bundle, _ in
            bundle.sections[.log]?.removeLast()
        },
    ]
}
