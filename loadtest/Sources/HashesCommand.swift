// `usher-loadtest hashes`: how fast this machine solves the puzzles of a room, so that a policy's steps can be set.
import ArgumentParser
import Challenges
import Foundation

struct HashesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hashes",
        abstract: "Measure how many hashes a second one core of this machine computes for a puzzle."
    )

    @Option(help: "Seconds to measure, 1 to 60.") var seconds: Int = 5

    func validate() throws {
        guard (1...60).contains(seconds) else { throw ValidationError("--seconds is from 1 to 60") }
    }

    func run() throws {
        let prefix = [UInt8](repeating: 1, count: PuzzleSolver.prefixLength)
        // No number has this hash.
        let target = [UInt8](repeating: 0, count: 32)
        guard var solver = PuzzleSolver(prefix: prefix, target: target, limit: .max) else { return }
        let clock = ContinuousClock()
        let start = clock.now
        var hashes = 0.0
        while start.duration(to: clock.now) < .seconds(seconds), solver.work() == .going {
            hashes += Double(PuzzleSolver.chunk)
        }
        let perSecond = hashes / (start.duration(to: clock.now) / .seconds(1))
        print("\(Int(perSecond)) hashes a second on one core")
        for step in EffortLadder.standard.steps {
            print("\(step.hashes) hashes: \(String(format: "%.3f", Double(step.hashes) / perSecond)) s on average")
        }
    }
}
