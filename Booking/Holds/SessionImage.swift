// A session as the `load` function takes it: letters, spots, counts, and who has what.

import Ordering
import Redis

struct SessionImage {
    private struct Group {
        var isPending: Bool
        var order: String
        var account: String
        var deadline: Int64
        var seats: [SeatNumber]
    }

    let arguments: [RedisArgument]

    init(_ inventory: SessionInventory) {
        let layout = inventory.layout
        var sections = layout.sections.indices.map { Array(layout.emptyString(ofSection: $0).utf8) }
        var (pending, sold, blocked) = (0, 0, 0)
        var groups: [String: Group] = [:]
        for claim in inventory.claims where layout.contains(claim.seat) {
            let spot = layout.spot(of: claim.seat)
            switch claim.state {
            case .pending:
                pending += 1
                sections[spot.section][spot.offset] = UInt8(ascii: "H")
            case .sold:
                sold += 1
                sections[spot.section][spot.offset] = UInt8(ascii: "S")
            case .blocked:
                blocked += 1
                sections[spot.section][spot.offset] = UInt8(ascii: "B")
            }
            guard claim.state != .blocked, let id = claim.hold?.description ?? claim.order?.description else {
                continue
            }
            var group =
                groups[id]
                ?? Group(
                    isPending: claim.state == .pending,
                    order: claim.order?.description ?? "",
                    account: claim.account?.description ?? "",
                    deadline: claim.deadline?.milliseconds ?? 0,
                    seats: []
                )
            group.seats.append(claim.seat)
            groups[id] = group
        }

        let rows = layout.sections.reduce(0) { $0 + $1.rows.count }
        var arguments: [RedisArgument] = [.text(String(inventory.epoch)), .integer(sections.count), .integer(rows)]
        arguments += sections.map { .bytes($0) }
        arguments += LayoutImage(layout).arguments
        arguments += [
            .integer(layout.seatCount - pending - sold - blocked), .integer(pending), .integer(sold),
            .integer(blocked),
        ]
        for (id, group) in groups.sorted(by: { $0.key < $1.key }) {
            arguments += [
                .text(group.isPending ? "P" : "S"), .text(id), .text(group.order), .text(group.account),
                .text(String(group.deadline)), .seats(group.seats.sorted()),
            ]
        }
        self.arguments = arguments
    }
}
