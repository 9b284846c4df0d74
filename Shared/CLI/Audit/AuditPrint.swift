// An audit's result for people and for scripts.
import Fairness
import Foundation

enum AuditPrint {
    private struct Document: Encodable {
        struct Line: Encodable {
            let name: String
            let verdict: String
            let detail: String
        }

        let holds: Bool
        let checks: [Line]
        let figures: FairnessFigures?
    }

    static func text(_ report: AuditReport) -> String {
        let width = report.checks.map(\.name.count).max() ?? 0
        let lines = report.checks.map { check in
            let verdict = check.verdict.rawValue.padding(toLength: 4, withPad: " ", startingAt: 0)
            let name = check.name.padding(toLength: width, withPad: " ", startingAt: 0)
            return check.verdict == .skipped
                ? "\(verdict)  \(name)  (\(check.detail))" : "\(verdict)  \(name)  \(check.detail)"
        }
        let failed = report.checks.count { $0.verdict == .failed }
        let skipped = report.checks.count { $0.verdict == .skipped }
        let sum =
            failed == 0
            ? "Every check holds; \(skipped) had nothing to look at."
            : "\(failed) of \(report.checks.count) checks fail."
        return (lines + [sum]).joined(separator: "\n")
    }

    static func json(_ report: AuditReport) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        let lines = report.checks.map {
            Document.Line(name: $0.name, verdict: $0.verdict.rawValue, detail: $0.detail)
        }
        let document = Document(holds: report.holds, checks: lines, figures: report.figures)
        return String(decoding: try encoder.encode(document), as: UTF8.self)
    }
}
