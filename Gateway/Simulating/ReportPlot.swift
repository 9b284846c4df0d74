// A report as one SVG picture: the line, the pace, who is inside, and what each tenth of the arrivals got.
import Foundation

extension SimulationReport {
    package var svg: String {
        var plot = Plot(height: 4 * Plot.panelHeight + 90)
        plot.text(
            Plot.left,
            28,
            "Simulated sale: \(Self.count(visitors)) visitors, pace \(Self.count(perMinute)) a minute, cap \(Self.count(activeMax))",
            size: 17,
            weight: "600"
        )
        plot.text(Plot.left, 48, subtitle, size: 12, fill: "#555")
        guard let first = points.first, let last = points.last else { return plot.document }
        let minutes = points.map { Double($0.atS) / 60 }
        let span = Double(first.atS) / 60...(Double(last.atS + pointS) / 60)
        let perMinuteFactor = 60 / Double(pointS)
        let marks = [soldOutAtS.map { ($0 / 60, "sold out") }, unlikelyToldAtS.map { ($0 / 60, "tail told unlikely") }]
            .compactMap { $0 }
        var panel = plot.panel(0, "Waiting in line", x: span, most: points.map { Double($0.waiting) }.max() ?? 0)
        panel.area(minutes, points.map { Double($0.waiting) }, colour: "#3b6fb6")
        plot.add(panel, marks)
        let rates = points.map { Double($0.admitted) * perMinuteFactor }
        panel = plot.panel(
            1,
            "Admitted a minute (dashed: the pace)",
            x: span,
            most: max(Double(perMinute), rates.max() ?? 0)
        )
        panel.area(minutes, rates, colour: "#2f8f5b")
        panel.level(Double(perMinute))
        plot.add(panel, marks)
        panel = plot.panel(
            2,
            "Inside (dashed: the cap)",
            x: span,
            most: max(Double(liveMost), min(Double(activeMax), 4 * Double(liveMost)))
        )
        panel.area(minutes, points.map { Double($0.live) }, colour: "#b4632a")
        panel.level(Double(activeMax))
        plot.add(panel, marks)
        panel = plot.panel(3, "Share admitted, by tenth of the arrivals (%)", x: 0...10, most: 100)
        panel.bars(admittedByDecile.map { $0 * 100 }, colour: "#7a5aa6")
        plot.add(panel, [], axis: "first tenth to come → last tenth to come")
        return plot.document
    }

    private var subtitle: String {
        let wait = waitS.map { "wait of the admitted: \($0.text)" } ?? "nobody was admitted"
        return "\(Self.count(admitted)) admitted, \(Self.count(noShows)) no-shows; \(wait)"
    }
}

/// Drawing on a page of fixed width.
private struct Plot {
    static let width = 920.0
    static let left = 84.0
    static let right = 24.0
    static let panelHeight = 210.0
    static let plotHeight = 132.0

    let height: Double
    private var body = ""

    init(height: Double) {
        self.height = height
    }

    var document: String {
        """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Self.number(Self.width)) \(Self.number(height))" \
        font-family="system-ui, sans-serif" role="img"><title>Simulated sale</title>
        <rect width="100%" height="100%" fill="#fff"/>
        \(body)</svg>

        """
    }

    mutating func text(
        _ x: Double,
        _ y: Double,
        _ text: String,
        size: Int = 12,
        fill: String = "#222",
        weight: String = "400",
        anchor: String = "start"
    ) {
        body += Self.label(x, y, text, size: size, fill: fill, weight: weight, anchor: anchor)
    }

    func panel(_ index: Int, _ title: String, x: ClosedRange<Double>, most: Double) -> Panel {
        Panel(title: title, top: 88 + Double(index) * Self.panelHeight, x: x, most: most)
    }

    mutating func add(_ panel: Panel, _ marks: [(Double, String)], axis: String = "minutes after the opening") {
        body += panel.frame(axis: axis) + panel.body
        for (index, mark) in marks.enumerated() where panel.x.contains(mark.0) {
            body += panel.mark(mark.0, mark.1, row: index)
        }
    }

    static func number(_ value: Double) -> String { String(format: "%.1f", value) }

    static func label(
        _ x: Double,
        _ y: Double,
        _ text: String,
        size: Int = 11,
        fill: String = "#444",
        weight: String = "400",
        anchor: String = "start"
    ) -> String {
        let safe = text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
        return "<text x=\"\(number(x))\" y=\"\(number(y))\" font-size=\"\(size)\" font-weight=\"\(weight)\" "
            + "fill=\"\(fill)\" text-anchor=\"\(anchor)\">\(safe)</text>\n"
    }
}

private struct Panel {
    let title: String
    let top: Double
    let x: ClosedRange<Double>
    let step: Double
    let ceiling: Double
    var body = ""

    init(title: String, top: Double, x: ClosedRange<Double>, most: Double) {
        self.title = title
        self.top = top
        self.x = x
        step = Self.step(max(most, 1), count: 4)
        ceiling = (max(most, 1) / step).rounded(.up) * step
    }

    /// 1, 2 or 5 times a power of ten, so that about `count` steps reach the value.
    static func step(_ value: Double, count: Double) -> Double {
        let raw = value / count
        let power = pow(10, log10(raw).rounded(.down))
        return [1, 2, 5, 10].map { $0 * power }.first { $0 >= raw } ?? raw
    }

    func px(_ value: Double) -> Double {
        let width = Plot.width - Plot.left - Plot.right
        return Plot.left + (value - x.lowerBound) / max(x.upperBound - x.lowerBound, 1e-9) * width
    }

    func py(_ value: Double) -> Double { top + Plot.plotHeight * (1 - min(max(value / ceiling, 0), 1.04)) }

    mutating func area(_ xs: [Double], _ ys: [Double], colour: String) {
        let line = zip(xs, ys).map { "\(Plot.number(px($0))),\(Plot.number(py($1)))" }.joined(separator: " ")
        let last = xs.last ?? 0
        let first = xs.first ?? 0
        body +=
            "<polygon points=\"\(Plot.number(px(first))),\(Plot.number(py(0))) \(line) "
            + "\(Plot.number(px(last))),\(Plot.number(py(0)))\" fill=\"\(colour)\" fill-opacity=\"0.18\"/>\n"
            + "<polyline points=\"\(line)\" fill=\"none\" stroke=\"\(colour)\" stroke-width=\"1.6\"/>\n"
    }

    mutating func level(_ value: Double) {
        guard value <= ceiling else { return }
        body += rule(px(x.lowerBound), py(value), px(x.upperBound), py(value), "#444", dashed: true)
    }

    mutating func bars(_ values: [Double], colour: String) {
        for (index, value) in values.enumerated() {
            let left = px(Double(index) + 0.15)
            let width = px(Double(index) + 0.85) - left
            body +=
                "<rect x=\"\(Plot.number(left))\" y=\"\(Plot.number(py(value)))\" width=\"\(Plot.number(width))\" "
                + "height=\"\(Plot.number(py(0) - py(value)))\" fill=\"\(colour)\" fill-opacity=\"0.75\"/>\n"
                + Plot.label(left + width / 2, py(value) - 4, String(format: "%.1f", value), anchor: "middle")
        }
    }

    func mark(_ value: Double, _ text: String, row: Int) -> String {
        let at = px(value)
        let isRight = at > Plot.width - 160
        return rule(at, top - 4, at, py(0), "#a33", dashed: true)
            + Plot.label(
                at + (isRight ? -4 : 4),
                top + 8 + Double(row) * 13,
                text,
                fill: "#a33",
                anchor: isRight ? "end" : "start"
            )
    }

    func frame(axis: String) -> String {
        var text = Plot.label(Plot.left, top - 10, title, size: 13, fill: "#222", weight: "600")
        for index in 0...Int((ceiling / step).rounded()) {
            let value = Double(index) * step
            text += rule(px(x.lowerBound), py(value), px(x.upperBound), py(value), index == 0 ? "#888" : "#e4e4e4")
            text += Plot.label(Plot.left - 8, py(value) + 4, Self.plain(value), anchor: "end")
        }
        let width = x.upperBound - x.lowerBound
        let spacing = Self.step(width, count: 10)
        var tick = (x.lowerBound / spacing).rounded(.up) * spacing
        while tick <= x.upperBound + 1e-9 {
            text += rule(px(tick), py(0), px(tick), py(0) + 4, "#888")
            text += Plot.label(px(tick), py(0) + 17, Self.plain(tick), anchor: "middle")
            tick += spacing
        }
        return text + Plot.label(Plot.width - Plot.right, py(0) + 33, axis, fill: "#666", anchor: "end")
    }

    private static func plain(_ value: Double) -> String {
        value == value.rounded() ? SimulationReport.count(Int(value)) : String(format: "%.1f", value)
    }

    private func rule(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ colour: String, dashed: Bool = false)
        -> String
    {
        "<line x1=\"\(Plot.number(x1))\" y1=\"\(Plot.number(y1))\" x2=\"\(Plot.number(x2))\" y2=\"\(Plot.number(y2))\" "
            + "stroke=\"\(colour)\"" + (dashed ? " stroke-dasharray=\"5 4\"" : "") + "/>\n"
    }
}
