// `usher-loadtest history`: whether any order of events explains what the buyers of a recorded sale were told.
import ArgumentParser
import Foundation
import Histories

struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Check recorded sales for a seat that was given twice (linearizability, seat by seat).",
        discussion: """
            Several files are one history, for example of sales that overlap. A line of {"op":"lose_holds",…} says that the
            store of holds may have forgotten some then.

            Exit status: 0 every seat is explained, 1 one is not, 2 a file cannot be read, 64 wrong usage.
            """
    )

    static let anomaliesShownMax = 20

    @Argument(help: "Files as `on-sale --history` writes them.") var files: [String]

    func run() throws {
        var records = ""
        for file in files {
            guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
                throw stop("\(file) cannot be read")
            }
            records += text.hasSuffix("\n") || text.isEmpty ? text : text + "\n"
        }
        let history: SeatHistory
        do {
            history = try SeatHistory(lines: records)
        } catch {
            throw stop("\(files.joined(separator: ", ")): \(error)")
        }
        let anomalies = history.anomalies()
        for anomaly in anomalies.prefix(Self.anomaliesShownMax) {
            switch anomaly.verdict {
            case .violated(let explained):
                print("\(anomaly.seat): at most \(explained) of \(anomaly.operations) operations can be explained")
            case .undecided, .linearizable:
                print("\(anomaly.seat): too many orders of \(anomaly.operations) operations to try")
            }
        }
        print(
            "history: \(history.operationCount) operations on \(history.operations.count) seats, \(anomalies.count) anomalies"
        )
        if !anomalies.isEmpty { throw ExitCode(1) }
    }

    private func stop(_ line: String) -> ExitCode {
        FileHandle.standardError.write(Data("usher-loadtest: \(line)\n".utf8))
        return ExitCode(2)
    }
}
