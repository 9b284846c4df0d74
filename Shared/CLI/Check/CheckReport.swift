// A check's result for people and for scripts.

import Checking
import Foundation

struct CheckReport: Encodable {
    struct Line: Encodable {
        let name: String
        let promise: String
        let checked: Int
        let breaches: Int
        let examples: [String]
    }

    let kept: Bool
    let promises: [Line]

    init(_ findings: [Finding]) {
        kept = findings.allSatisfy(\.isKept)
        promises = findings.map {
            Line(
                name: $0.name,
                promise: $0.promise,
                checked: $0.checked,
                breaches: $0.breachCount,
                examples: $0.examples
            )
        }
    }

    var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }

    var text: String {
        let width = promises.map(\.name.count).max() ?? 0
        var lines = promises.flatMap { line in
            let name = line.name.padding(toLength: width, withPad: " ", startingAt: 0)
            let count = String(line.checked).leftPadded(to: 9)
            let head = "\(line.breaches == 0 ? "kept  " : "BROKEN")  \(name)  \(count)  \(line.promise)"
            let rest = line.breaches - line.examples.count
            return [head] + line.examples.map { "          - \($0)" }
                + (rest > 0 ? ["          - and \(rest) more"] : [])
        }
        let broken = promises.filter { $0.breaches > 0 }.count
        let looked = promises.map(\.checked).reduce(0, +)
        lines.append(
            broken == 0
                ? "All \(promises.count) promises are kept; \(looked) things were compared."
                : "\(broken) of \(promises.count) promises are broken."
        )
        return lines.joined(separator: "\n")
    }
}

extension String {
    fileprivate func leftPadded(to width: Int) -> String {
        String(repeating: " ", count: max(0, width - count)) + self
    }
}
