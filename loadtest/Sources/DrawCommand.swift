// `usher-loadtest draw`: how long the draw of a lottery takes to compute again, from the list to everybody's rank.
import ArgumentParser
import Fairness
import Foundation

struct DrawCommand: ParsableCommand {
    static let placesMax = 16_000_000

    static let configuration = CommandConfiguration(
        commandName: "draw",
        abstract: "Measure how long one core takes to draw a lottery again: the list's root, the seed, all ranks."
    )

    @Option(help: "Places in the list, 1 to 16,000,000.") var places = 1_000_000
    @Option(help: "Times to do it, 1 to 100.") var rounds = 5
    @Flag(help: "Print seconds and milliseconds of every round as one line of JSON.") var json = false

    func validate() throws {
        guard (1...Self.placesMax).contains(places) else { throw ValidationError("--places is from 1 to 16000000") }
        guard (1...100).contains(rounds) else { throw ValidationError("--rounds is from 1 to 100") }
    }

    private struct Round: Encodable {
        var rootSeconds: Double
        var ranksSeconds: Double
        var seconds: Double { rootSeconds + ranksSeconds }

        enum CodingKeys: String, CodingKey {
            case rootSeconds = "root_s"
            case ranksSeconds = "ranks_s"
        }
    }

    func run() throws {
        let entries = madeUpEntries()
        let found = (0..<rounds).map { _ in draw(entries) }
        if json {
            print(String(decoding: try JSONEncoder().encode(found), as: UTF8.self))
            return
        }
        let middle = found.sorted { $0.seconds < $1.seconds }[rounds / 2]
        func text(_ seconds: Double) -> String { String(format: "%.3f s", seconds) }
        print("\(places) places: \(text(middle.seconds)), of which root \(text(middle.rootSeconds)),", terminator: " ")
        print("ranks \(text(middle.ranksSeconds)); median of \(rounds)")
    }

    /// A list as long as asked for; whose tags are in it makes no difference to the time.
    private func madeUpEntries() -> [UInt8] {
        var entries = [UInt8](repeating: 0, count: places * ArrivalEntry.length)
        for place in 0..<places {
            for byte in 0..<4 {
                entries[place * ArrivalEntry.length + byte] = UInt8(truncatingIfNeeded: place >> (8 * byte))
            }
        }
        return entries
    }

    private func draw(_ entries: [UInt8]) -> Round {
        let clock = ContinuousClock()
        let start = clock.now
        var tree = MerkleTree()
        tree.append(entries: entries)
        let root = tree.root
        let middle = clock.now
        let seed = DrawSeed.of(
            room: "draw",
            generation: 1,
            root: root,
            count: UInt64(places),
            kind: .commitReveal,
            value: [UInt8](repeating: 1, count: 32)
        )
        let ranks = RankBlock(first: 1, count: UInt64(places), seed: seed).ranks()
        let end = clock.now
        precondition(ranks.count == places, "every place has a rank")
        return Round(rootSeconds: (middle - start) / .seconds(1), ranksSeconds: (end - middle) / .seconds(1))
    }
}
