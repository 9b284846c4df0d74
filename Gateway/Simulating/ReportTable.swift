// A report for the person at the terminal.
import Foundation

extension SimulationReport {
    package var table: String {
        var lines: [(String, String)] = [
            (
                "visitors",
                Self.count(visitors)
                    + (turnedAway > 0 ? " (\(Self.count(turnedAway)) came outside the opening hours)" : "")
            ),
            ("called", Self.count(called)),
            ("admitted", "\(Self.count(admitted)) (\(Self.percent(admitted, visitors)) of the visitors)"),
            (
                "buyers",
                "\(Self.count(buyers)), \(Self.count(seatsSold)) seats" + (seats.map { " of \(Self.count($0))" } ?? "")
            ),
            (
                "no-shows",
                "\(Self.count(noShows)) (\(Self.percent(noShows, called)) of the called; the controller saw \(Self.percent(noShowSeen)))"
            ),
            ("gave up waiting", Self.count(gaveUp)),
            (
                "parked, claimed late, forfeited",
                "\(Self.count(parked)), \(Self.count(claimedLate)), \(Self.count(forfeited))"
            ),
            ("let in, found no seat", Self.count(emptyHanded)),
            (
                "admitted a minute",
                String(
                    format: "%.0f mean, %d most in 60 s (pace %d)",
                    admittedPerMinuteMean,
                    admittedPerMinuteMost,
                    perMinute
                )
            ),
            (
                "inside at once",
                "\(Self.count(liveMost)) at most, \(Self.percent(capUseMean)) of the cap \(Self.count(activeMax)) on average"
            ),
        ]
        if let waitS { lines.append(("wait of the admitted", waitS.text)) }
        if seats != nil { lines.append(("sold out", soldOut)) }
        if let told = unlikelyToldAtS {
            lines.append(
                (
                    "tail told `unlikely`",
                    "at \(Self.time(told)); \(Self.count(calledThoughUnlikely)) of them were called after all"
                )
            )
        }
        if let coverage = estimates.p90Coverage, let error = estimates.medianRelativeError {
            let text = "\(Self.percent(coverage)) within the p90, median error of the p50 \(Self.percent(error))"
            lines.append(("estimates", "\(Self.count(estimates.scored)) scored: \(text)"))
        }
        lines.append(("end", "\(Self.time(endedAtS)) after the opening (\(ending))"))
        let width = lines.map(\.0.count).max() ?? 0
        let rows = lines.map { $0.0.padding(toLength: width + 2, withPad: " ", startingAt: 0) + $0.1 }
        return (rows + [""] + groupRows + ["", decileRow]).joined(separator: "\n") + "\n"
    }

    private var soldOut: String {
        guard let soldOutAtS else { return "no" }
        return "\(Self.time(soldOutAtS)) after the opening, \(Self.count(waitingAtSoldOut)) still waited"
    }

    private var groupRows: [String] {
        func row(_ cells: [String]) -> String {
            let wide = cells.dropFirst().map { String(repeating: " ", count: max(0, 12 - $0.count)) + $0 }.joined()
            return cells[0].padding(toLength: 8, withPad: " ", startingAt: 0) + wide
        }
        let head = row([
            "group", "visitors", "of all", "admitted", "of admitted", "seats", "of seats", "wait p50", "p90", "p99",
        ])
        return [head]
            + groups.map { group in
                row(
                    [
                        group.name, Self.count(group.visitors), Self.percent(group.shareOfVisitors),
                        Self.count(group.admitted), Self.percent(group.shareOfAdmitted), Self.count(group.seats),
                        Self.percent(group.shareOfSeats),
                    ] + [group.waitS?.p50, group.waitS?.p90, group.waitS?.p99].map { $0.map(Self.time) ?? "-" }
                )
            }
    }

    private var decileRow: String {
        "admitted, by tenth of arrival: " + admittedByDecile.map { Self.percent($0) }.joined(separator: " ")
    }

    static func count(_ number: Int) -> String {
        let digits = String(number)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0, digit.isNumber, text != "-" { text += "," }
            text.append(digit)
        }
        return text
    }

    static func percent(_ share: Double) -> String { String(format: "%.1f%%", share * 100) }

    static func percent(_ part: Int, _ whole: Int) -> String { percent(Double(part) / Double(max(1, whole))) }

    /// `12.3 s`, `4:05`, `1:02:03`
    static func time(_ seconds: Double) -> String {
        guard seconds.magnitude >= 60 else { return String(format: "%.1f s", seconds) }
        let whole = Int(seconds.magnitude.rounded())
        let sign = seconds < 0 ? "-" : ""
        let rest = String(format: "%02d", whole % 60)
        guard whole >= 3600 else { return "\(sign)\(whole / 60):\(rest)" }
        return "\(sign)\(whole / 3600):" + String(format: "%02d", whole / 60 % 60) + ":\(rest)"
    }
}

extension SimulationReport.Waits {
    var text: String {
        let time = SimulationReport.time
        return "p50 \(time(p50)), p90 \(time(p90)), p99 \(time(p99)), most \(time(most))"
    }
}
