import Ordering
import UsherAPI

/// What a request asks for, checked against the layout.
struct SeatWish: Sendable {
    let selection: SeatSelection

    /// Seats of one request, whatever the session's limit.
    static let seatsMax = 50

    init(_ request: SeatsRequest, in session: Session, _ layout: SessionLayout) throws {
        switch (request.seats, request.best, request.areas) {
        case (let seats?, nil, nil):
            let isAccessible = request.accessible ?? false
            selection = .named(
                try Self.named(seats, isAccessible: isAccessible, layout),
                leavesNoOrphan: session.orphanRule && !isAccessible
            )
        case (nil, let best?, nil): selection = .best(try Self.best(best, layout))
        case (nil, nil, let areas?): selection = .areas(try Self.areas(areas, layout))
        default: throw Refusal(.validationFailed, "give just one of \"seats\", \"best\" and \"areas\"")
        }
    }

    private static func named(
        _ names: [String],
        isAccessible: Bool,
        _ layout: SessionLayout
    ) throws -> [SeatNumber] {
        guard !names.isEmpty, names.count <= seatsMax else {
            throw Refusal(.validationFailed, "\"seats\" names 1 to \(seatsMax) seats")
        }
        let seats = try names.map { name in
            guard let seat = layout.seat(named: name) else {
                throw Refusal(.validationFailed, "there is no seat \"\(name.prefix(40))\" in this session")
            }
            return seat
        }
        guard Set(seats).count == seats.count else { throw Refusal(.validationFailed, "a seat is named twice") }
        if !isAccessible, let kept = seats.first(where: layout.isAccessible) {
            throw Refusal(
                .accessibleOnly,
                "\(layout.name(of: kept)) is for people who need an accessible seat; ask with \"accessible\": true"
            )
        }
        return seats.sorted()
    }

    private static func best(_ wish: SeatsRequest.Best, _ layout: SessionLayout) throws -> BestSeats {
        guard (1...seatsMax).contains(wish.quantity) else {
            throw Refusal(.validationFailed, "\"best.quantity\" is a number from 1 to \(seatsMax)")
        }
        guard ["all", "partial"].contains(wish.mode ?? "all") else {
            throw Refusal(.validationFailed, "\"best.mode\" is \"all\" or \"partial\"")
        }
        return BestSeats(
            quantity: wish.quantity,
            sections: try sections(of: wish, layout),
            isPartial: wish.mode == "partial",
            isTogether: wish.together ?? false,
            isAccessible: wish.accessible ?? false
        )
    }

    /// The sections to choose from; none for all.
    private static func sections(of wish: SeatsRequest.Best, _ layout: SessionLayout) throws -> [Int] {
        if let area = wish.area {
            guard wish.sections == nil else {
                throw Refusal(.validationFailed, "give either \"best.sections\" or \"best.area\"")
            }
            let found = layout.sections.indices.filter {
                layout.sections[$0].area == area && layout.sections[$0].kind == .seats
            }
            guard !found.isEmpty else {
                throw Refusal(.validationFailed, "there are no numbered seats in an area \"\(area.prefix(40))\"")
            }
            return found
        }
        guard let names = wish.sections else { return [] }
        guard !names.isEmpty, names.count <= layout.sections.count else {
            throw Refusal(.validationFailed, "\"best.sections\" names at least one section, each once")
        }
        return try names.map { try section($0, of: .seats, layout) }
    }

    private static func areas(_ wishes: [SeatsRequest.Area], _ layout: SessionLayout) throws -> [AreaWish] {
        let found = try wishes.prefix(layout.sections.count + 1).map { wish in
            guard (1...seatsMax).contains(wish.quantity) else {
                throw Refusal(.validationFailed, "\"areas.quantity\" is a number from 1 to \(seatsMax)")
            }
            return AreaWish(section: try section(wish.section, of: .area, layout), quantity: wish.quantity)
        }
        let isSound =
            !found.isEmpty && Set(found.map(\.section)).count == wishes.count
            && found.reduce(0) { $0 + $1.quantity } <= seatsMax
        guard isSound else {
            throw Refusal(.validationFailed, "\"areas\" names areas, each once, and at most \(seatsMax) places")
        }
        return found
    }

    private static func section(
        _ name: String,
        of kind: SessionLayout.Kind,
        _ layout: SessionLayout
    ) throws -> Int {
        guard let index = layout.sections.firstIndex(where: { $0.name == name }) else {
            throw Refusal(.validationFailed, "there is no section \"\(name.prefix(40))\" in this session")
        }
        guard layout.sections[index].kind == kind else {
            let instead = kind == .seats ? "has places without numbers: use \"areas\"" : "has numbered seats"
            throw Refusal(.validationFailed, "section \(name) \(instead)")
        }
        return index
    }
}
