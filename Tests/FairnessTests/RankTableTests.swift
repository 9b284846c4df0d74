import Fairness
import Signing
import Testing

struct RankTableTests {
    private let seed = Digest.of(Array("a seed".utf8))

    @Test func `without blocks the rank is the number`() {
        let table = RankTable()
        for number in [1, 2, 77, UInt64(UInt32.max) + 9] {
            #expect(table.rank(of: number) == number)
            #expect(table.number(of: number) == number)
        }
        #expect(table.number(of: 0) == nil)
    }

    @Test func `a block keeps its numbers among themselves and leaves others alone`() {
        var table = RankTable()
        let blocks = [
            RankBlock(first: 3, count: 5, seed: seed), RankBlock(first: 8, count: 1, seed: seed),
            RankBlock(first: 20, count: 40, seed: Digest.of([1])),
        ]
        for block in blocks {
            let isTaken = table.append(block)
            #expect(isTaken)
        }
        for number: UInt64 in 1...100 {
            let rank = table.rank(of: number)
            let block = blocks.first { $0.first <= number && number <= $0.last }
            if let block {
                #expect((block.first...block.last).contains(rank))
                let order = Shuffle.order(of: Int(block.count), seed: block.seed)
                #expect(UInt64(order[Int(rank - block.first)]) + block.first == number)
            } else {
                #expect(rank == number)
            }
            #expect(table.number(of: rank) == number)
        }
        let numbers = table.numbers()
        #expect(numbers?.count == 59)
        for (index, number) in (numbers ?? []).enumerated() {
            #expect(table.rank(of: UInt64(number)) == UInt64(index + 1))
        }
    }

    @Test(arguments: [
        RankBlock(first: 1, count: 1, seed: Digest.of([])), RankBlock(first: 10, count: 4, seed: Digest.of([])),
        RankBlock(first: 11, count: 0, seed: Digest.of([])),
        RankBlock(first: UInt64(UInt32.max), count: 2, seed: Digest.of([])),
        RankBlock(first: 20, count: UInt64.max, seed: Digest.of([])),
    ])
    func `a block that overlaps, is empty or goes too far is refused`(block: RankBlock) {
        var table = RankTable()
        table.append(RankBlock(first: 2, count: 9, seed: seed))
        let before = table
        let isTaken = table.append(block)
        #expect(!isTaken)
        #expect(table == before)
    }

    @Test func `ranks survive the form they are stored in`() {
        var drawn = RankTable()
        let block = RankBlock(first: 5, count: 1000, seed: seed)
        drawn.append(block)
        var read = RankTable()
        let packed = RankTable.packed(block.ranks())
        let answers = [
            read.write(packed: packed, from: 5), read.write(packed: Array(packed.dropLast()), from: 5),
            read.write(packed: packed, from: 0),
        ]
        #expect(answers == [true, false, false])
        #expect(read == drawn)
    }

    @Test func `two numbers of one rank are noticed`() {
        var table = RankTable()
        table.write(packed: RankTable.packed([2, 2]), from: 1)
        #expect(table.numbers() == nil)
    }
}
