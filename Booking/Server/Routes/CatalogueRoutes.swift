import Hummingbird
import Ordering
import UsherAPI

/// Shows, sessions and the seat map, from memory and Redis; no database on the way.
struct CatalogueRoutes {
    let catalogue: CatalogueCache
    let holds: any HoldStore
    let clock: Clock

    func add(to routes: RouterGroup<BookingContext>) {
        routes.get("shows") { _, _ in
            Response.json(ListReply(data: catalogue.current.shows.map { reply(for: $0, sessions: nil) }))
        }
        routes.get("shows/:id") { _, context in
            let id: ShowID = try context.parameters.identifier()
            guard let show = catalogue.show(id) else { throw Refusal(.notFound) }
            let contents = catalogue.current
            let sessions = contents.sessions.filter { $0.show == id && $0.state.isVisible }
            return Response.json(reply(for: show, sessions: sessions.map { CatalogueReply.session($0, contents) }))
        }
        routes.get("sessions") { request, _ in
            let contents = catalogue.current
            let show = request.uri.queryParameters["show"].map { ShowID(String($0)) }
            let sessions = contents.sessions.filter { session in
                session.state.isVisible && (show == nil || show == .some(session.show))
            }
            return Response.json(ListReply(data: sessions.map { CatalogueReply.session($0, contents) }))
        }
        routes.get("sessions/:id") { _, context in
            Response.json(CatalogueReply.session(try session(context), catalogue.current))
        }
        routes.get("sessions/:id/seats") { _, context in
            Response.json(try await seatMap(of: try session(context)))
        }
    }

    private func session(_ context: BookingContext) throws -> Session {
        guard let session = catalogue.session(try context.parameters.identifier()) else { throw Refusal(.notFound) }
        return session
    }

    private func reply(for show: Show, sessions: [SessionReply]?) -> ShowReply {
        ShowReply(
            id: "\(show.id)",
            title: show.title,
            description: show.description,
            venue: show.venue,
            sessions: sessions
        )
    }

    func seatMap(of session: Session) async throws -> SeatMapReply {
        guard let layout = catalogue.layout(session.id) else { throw Refusal(.inventoryUnavailable) }
        do throws(HoldFailure) {
            let letters = try await holds.letters(of: session.id, sections: layout.sections.count)
            return CatalogueReply.seatMap(session.id, layout, letters, at: clock.now())
        } catch {
            throw Refusal(error, layout: layout)
        }
    }
}

enum CatalogueReply {
    static func session(_ session: Session, _ contents: CatalogueCache.Contents) -> SessionReply {
        let layout = contents.layouts[session.id]
        var areas: [SessionReply.Area] = []
        for section in layout?.sections ?? [] where !areas.contains(where: { $0.name == section.area }) {
            areas.append(.init(name: section.area, price: section.price.reply, sections: []))
        }
        for section in layout?.sections ?? [] {
            guard let area = areas.firstIndex(where: { $0.name == section.area }) else { continue }
            areas[area].sections.append(
                .init(
                    name: section.name,
                    kind: section.kind.rawValue,
                    seatCount: section.seatCount,
                    accessible: section.rows.reduce(0) { $0 + $1.accessible.count }
                )
            )
        }
        return SessionReply(
            id: "\(session.id)",
            showID: "\(session.show)",
            title: session.title,
            startsAt: session.startsAt.text,
            state: session.state.rawValue,
            room: session.room,
            limitPerBuyer: session.limitPerBuyer,
            areas: areas,
            seatCount: layout?.seatCount ?? 0
        )
    }

    static func seatMap(
        _ session: SessionID,
        _ layout: SessionLayout,
        _ letters: SeatLetters,
        at now: Moment
    ) -> SeatMapReply {
        let sections = zip(layout.sections, letters.sections).map { section, text in
            let rows = zip(section.rows, text.split(separator: "|", omittingEmptySubsequences: true))
            return SeatMapReply.Section(
                name: section.name,
                area: section.area,
                price: section.price.reply,
                kind: section.kind.rawValue,
                free: text.utf8.count { $0 == UInt8(ascii: "F") },
                rows: rows.map { row, letters in
                    let accessible = row.accessible.isEmpty ? nil : row.accessible.sorted().map { row.first + $0 }
                    return .init(label: row.label, first: row.first, seats: String(letters), accessible: accessible)
                }
            )
        }
        return SeatMapReply(
            sessionID: "\(session)",
            sections: sections,
            free: sections.reduce(0) { $0 + $1.free },
            version: "\(letters.epoch)-\(letters.sequence)",
            asOf: now.text
        )
    }
}
