// What the run prints: a line each second, a table at the end.
import Foundation

enum Lines {
    static func progress(_ state: Scoreboard.State, after time: Duration, requestsBefore: Int) -> String {
        let waiting = state.arrived - state.endings.count - state.inShop
        let parts = [
            "\(Int(time.seconds)) s", "arrived \(state.arrived)", "waiting \(waiting)", "in the shop \(state.inShop)",
            "seats sold \(state.seatsSold)", "told sold out \(state.toldSoldOut)", "done \(state.endings.count)",
            "\(state.requests - requestsBefore) requests/s",
        ]
        return parts.joined(separator: "  ")
    }

    static func table(_ report: Report) -> String {
        var lines = [
            "",
            "session \(report.session), room \(report.room), \(report.visitors) visitors, \(one(report.seconds)) s",
            "  joined            \(report.joined)",
            "  admitted          \(report.admitted), at most \(report.admittedPerMinuteMax) within a minute",
            "  sold              \(report.seatsSold) seats in \(report.orders) orders",
            "  told sold out     \(report.toldSoldOut) "
                + "(\(report.toldSoldOutWaiting) waiting, \(report.toldSoldOutInShop) in the shop)",
            "  abandoned         \(sum(report.abandoned))",
            "  gave up picking   \(report.gaveUpPicking)",
            "  card declined     \(report.declined)",
            "  turned away       \(sum(report.turnedAway))",
            "  without an end    \(sum(report.unfinished))",
            "  refused by code   \(report.refusedByCode.isEmpty ? "none" : Report.list(report.refusedByCode))",
            "  lost connections  \(report.lostConnections)",
            "  inversions        \(report.inversions)",
            "",
            "  \(left("step", 10))\(right("count", 9))\(right("p50 ms", 11))\(right("p99 ms", 11))\(right("max ms", 11))",
        ]
        for step in report.steps {
            lines.append(
                "  \(left(step.step, 10))\(right("\(step.count)", 9))\(right(one(step.p50MS), 11))"
                    + "\(right(one(step.p99MS), 11))\(right(one(step.maxMS), 11))"
            )
        }
        lines.append("")
        if report.brokenPromises.isEmpty {
            lines.append("every promise held")
        } else {
            lines += report.brokenPromises.map { "BROKEN  \($0)" }
        }
        return lines.joined(separator: "\n")
    }

    private static func sum(_ counts: [String: Int]) -> String {
        let total = counts.values.reduce(0, +)
        return counts.isEmpty ? "0" : "\(total) (\(Report.list(counts)))"
    }

    private static func one(_ value: Double) -> String { String(format: "%.1f", value) }

    private static func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
