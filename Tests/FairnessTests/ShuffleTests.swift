// The draw: its vectors, that it is even, and what it costs.
import Fairness
import Signing
import Testing

private func seed(_ text: String) -> Digest { Digest.of(Array(text.utf8)) }

struct ShuffleTests {
    @Test func `nobody and one are in order already`() {
        #expect(Shuffle.order(of: 0, seed: seed("x")) == [])
        #expect(Shuffle.order(of: 1, seed: seed("x")) == [0])
    }

    /// Computed from the text of docs/fairness.md by its Python checker.
    @Test(
        arguments: [
            ("usher", 2, [0, 1]),
            ("usher", 3, [1, 2, 0]),
            ("usher", 5, [3, 1, 2, 4, 0]),
            ("usher", 20, [17, 7, 3, 18, 12, 1, 10, 0, 2, 19, 16, 11, 9, 6, 14, 15, 13, 8, 4, 5]),
            (
                "waiting room", 64,
                [
                    39, 9, 8, 0, 28, 34, 50, 1, 63, 48, 18, 56, 32, 26, 37, 4, 12, 47, 5, 42, 30, 13, 35, 11, 61, 53, 2,
                    14, 49, 59, 60, 10, 46, 29, 21, 44, 58, 7, 16, 31, 52, 38, 33, 17, 25, 51, 55, 23, 62, 6, 57, 27,
                    24, 40, 19, 43, 20, 54, 15, 22, 36, 41, 3, 45,
                ]
            ),
        ] as [(String, Int, [UInt32])]
    )
    func `published vectors`(name: String, count: Int, order: [UInt32]) {
        #expect(Shuffle.order(of: count, seed: seed(name)) == order)
    }

    @Test func `a published vector of many`() {
        let order = Shuffle.order(of: 100_000, seed: seed("usher"))
        let digest = "a95e3fcf9e9f221d0e0e5be3965f6db40a012e994fc2c17f1742f4dbcde7c902"
        #expect(Digest.of(RankTable.packed(order)).hex == digest)
    }

    @Test(arguments: [2, 3, 255, 256, 257, 1000, 10_000])
    func `every order is a permutation and a function of the seed alone`(count: Int) {
        let order = Shuffle.order(of: count, seed: seed("permutation"))
        #expect(order.sorted() == (0..<UInt32(count)).map { $0 })
        #expect(order == Shuffle.order(of: count, seed: seed("permutation")))
        #expect(count < 100 || order != Shuffle.order(of: count, seed: seed("permutatioN")))
    }

    /// Attack 22: modulo bias. χ² over (member, place) cells, for N = 2…64; the seeds are fixed, so the answer is, too.
    @Test(arguments: 2...64)
    func `attack 22: every member comes at every place equally often`(count: Int) {
        let draws = 12 * count
        var cells = [Int](repeating: 0, count: count * count)
        for draw in 0..<draws {
            for (place, member) in Shuffle.order(of: count, seed: seed("chi \(count) \(draw)")).enumerated() {
                cells[Int(member) * count + place] += 1
            }
        }
        let expected = Double(draws) / Double(count)
        let statistic = cells.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
        // Rows and columns are fixed, so (N − 1)² cells are free; for a doubly fixed table of draws without replacement
        // the statistic is N/(N − 1) of χ². Wilson–Hilferty: the cube root is nearly normal.
        let free = Double((count - 1) * (count - 1))
        let scaled = statistic * Double(count - 1) / Double(count)
        let deviation = (cubeRoot(scaled / free) - (1 - 2 / (9 * free))) / (2 / (9 * free)).squareRoot()
        #expect(abs(deviation) < 4, "N = \(count): χ² = \(scaled) with \(free) degrees of freedom")
    }

    /// Attack 22: a shuffle whose every cell is even may still favour some orders.
    @Test(arguments: [2, 3, 4, 5])
    func `attack 22: every order of few is equally likely`(count: Int) {
        let orders = (1...count).reduce(1, *)
        let draws = 200 * orders
        var seen: [[UInt32]: Int] = [:]
        for draw in 0..<draws { seen[Shuffle.order(of: count, seed: seed("order \(draw)")), default: 0] += 1 }
        #expect(seen.count == orders)
        let expected = Double(draws) / Double(orders)
        let statistic = seen.values.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
        let free = Double(orders - 1)
        let deviation = (cubeRoot(statistic / free) - (1 - 2 / (9 * free))) / (2 / (9 * free)).squareRoot()
        #expect(abs(deviation) < 4, "N = \(count): χ² = \(statistic)")
    }

    @Test func `attack 22: the χ² test itself finds a shuffle with modulo bias`() {
        // The classical mistake: each place swapped with any place. 27 paths cannot fall evenly on 6 orders.
        var seen: [[UInt32]: Int] = [:]
        let draws = 12_000
        for draw in 0..<draws {
            let bytes = seed("biased \(draw)").bytes
            var order: [UInt32] = [0, 1, 2]
            for place in 0..<3 { order.swapAt(place, Int(bytes[place] % 3)) }
            seen[order, default: 0] += 1
        }
        let expected = Double(draws) / 6
        let statistic = seen.values.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
        let deviation = (cubeRoot(statistic / 5) - (1 - 2 / 45.0)) / (2 / 45.0).squareRoot()
        #expect(deviation > 4)
    }

    private func cubeRoot(_ value: Double) -> Double {
        var root = max(value, 1)
        for _ in 0..<60 { root -= (root * root * root - value) / (3 * root * root) }
        return root
    }
}
