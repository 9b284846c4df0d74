import Hummingbird
import Ordering
import UsherAPI

/// The plain page of a session: what, when, prices and which seats are free. It works without scripts.
struct SessionPage {
    let catalogue: CatalogueCache
    let seats: CatalogueRoutes

    func add(to router: Router<BookingContext>) {
        router.get("sessions/:id") { _, context in
            guard let session = catalogue.session(try context.parameters.identifier()),
                let show = catalogue.show(session.show)
            else { throw Refusal(.notFound) }
            let map = try await seats.seatMap(of: session)
            let html = page(show, session, map)
            return Response.bytes(Array(html.utf8), contentType: "text/html; charset=utf-8")
        }
    }

    private func page(_ show: Show, _ session: Session, _ map: SeatMapReply) -> String {
        let title = HTML.escaped("\(show.title) – \(session.title)")
        let sections = map.sections.map { section in
            let price = HTML.price(section.price)
            let heading = "\(HTML.escaped(section.area)), section \(HTML.escaped(section.name))"
            guard section.kind == SessionLayout.Kind.seats.rawValue else {
                return """
                    <h2>\(heading): \(price) a place</h2>
                    <p>Places without numbers. \(section.free) are free.</p>
                    """
            }
            return """
                <h2>\(heading): \(price) a seat</h2>
                <table aria-label="Seats of section \(HTML.escaped(section.name))">\(rows(of: section))</table>
                """
        }
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(title)</title>
            <style>
            body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2330}
            table{border-collapse:separate;border-spacing:3px;font-size:.7rem}
            td{width:1.6rem;height:1.6rem;text-align:center;border-radius:.3rem}
            .free{background:#cdeccf}.taken{background:#d9dce3;color:#6b7280}th{padding-right:.5rem}
            </style>
            </head>
            <body>
            <main>
            <h1>\(title)</h1>
            <p>\(HTML.escaped(show.venue)), \(HTML.escaped(session.startsAt.text)). \(map.free) seats are free;
            a buyer can have \(session.limitPerBuyer).</p>
            \(sections.joined(separator: "\n"))
            </main>
            </body>
            </html>
            """
    }

    private func rows(of section: SeatMapReply.Section) -> String {
        let rows = section.rows.map { row in
            let cells = row.seats.enumerated().map { index, letter in
                let number = row.first + index
                let name = HTML.escaped("\(section.name)-\(row.label)-\(number)")
                let word = letter == "F" ? "free" : "taken"
                let isAccessible = row.accessible?.contains(number) ?? false
                let note = isAccessible ? ", accessible" : ""
                let sign = isAccessible ? "♿" : ""
                return "<td class=\"\(word)\" title=\"\(name): \(word)\(note)\">\(sign)\(number)</td>"
            }
            return "<tr><th scope=\"row\">\(HTML.escaped(row.label))</th>\(cells.joined())</tr>"
        }
        return rows.joined(separator: "\n")
    }
}

enum HTML {
    static func escaped(_ text: String) -> String {
        var safe = ""
        for character in text {
            switch character {
            case "&": safe += "&amp;"
            case "<": safe += "&lt;"
            case ">": safe += "&gt;"
            case "\"": safe += "&quot;"
            case "'": safe += "&#39;"
            default: safe.append(character)
            }
        }
        return safe
    }

    /// With the decimals of its currency.
    static func price(_ money: MoneyReply) -> String {
        let amount = Currency.text(Money(Int64(money.amountMinor), money.currency))
        return "\(amount) \(escaped(money.currency))"
    }
}
