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

        var arguments: [RedisArgument] = [.text(String(inventory.epoch)), .integer(sections.count)]
        arguments += sections.map { .bytes($0) }
        arguments.append(.bytes(Self.spots(of: layout)))
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

    /// Six bytes a seat: its section, then its byte in the section's string, both big endian.
    private static func spots(of layout: SessionLayout) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(layout.seatCount * 6)
        for seat in 0..<layout.seatCount {
            let spot = layout.spot(of: SeatNumber(seat))
            withUnsafeBytes(of: UInt16(spot.section).bigEndian) { bytes.append(contentsOf: $0) }
            withUnsafeBytes(of: UInt32(spot.offset).bigEndian) { bytes.append(contentsOf: $0) }
        }
        return bytes
    }
}
