import Testing

@testable import Queueing

struct PassUseTests {
    private static func v4(_ a: UInt64, _ b: UInt64, _ c: UInt64, _ d: UInt64) -> PassNetwork {
        PassNetwork(high: 0, low: 0xFFFF_0000_0000 | a << 24 | b << 16 | c << 8 | d)
    }

    private static let home = v4(198, 51, 100, 7)
    private static let office = v4(203, 0, 113, 9)
    private static let train = v4(192, 0, 2, 1)
    private static let homeToo = PassNetwork(high: 0x2001_0db8_0001_0000, low: 1)

    @Test func `addresses of one network are one, others are not`() {
        #expect(Self.v4(198, 51, 100, 7) == Self.v4(198, 51, 100, 250))
        #expect(Self.v4(198, 51, 100, 7) != Self.v4(198, 51, 101, 7))
        #expect(
            PassNetwork(high: 0x2001_0db8_0001_0002, low: 3) == PassNetwork(high: 0x2001_0db8_0001_ffff, low: 9)
        )
        #expect(PassNetwork(high: 0x2001_0db8_0002_0000, low: 0) != Self.homeToo)
        #expect(Self.v4(0, 0, 0, 0).bits != 0)
    }

    struct Use {
        var network: PassNetwork
        var second: Int64
        var isShared: Bool

        init(_ network: PassNetwork, _ second: Int64, _ isShared: Bool = false) {
            self.network = network
            self.second = second
            self.isShared = isShared
        }
    }

    @Test(arguments: [
        ("stays", [Use(home, 0), Use(home, 1), Use(home, 300)]),
        ("moves", [Use(home, 0), Use(office, 5), Use(office, 6), Use(office, 200)]),
        ("moves on", [Use(home, 0), Use(train, 5), Use(office, 9)]),
        ("comes home in the evening", [Use(home, 0), Use(office, 10), Use(home, 71)]),
        ("is back within a minute", [Use(home, 0), Use(office, 10), Use(home, 60, true)]),
        ("goes to and fro", [Use(home, 0), Use(office, 1), Use(home, 2, true), Use(office, 3, true)]),
        ("three at once", [Use(home, 0), Use(office, 1), Use(train, 2), Use(home, 3, true), Use(office, 4, true)]),
        ("two families of one visitor", [Use(home, 0), Use(homeToo, 1), Use(home, 2), Use(homeToo, 3)]),
        ("stays in the end", [Use(home, 0), Use(office, 1), Use(home, 2, true), Use(home, 3), Use(home, 4)]),
    ])
    func `a pass that leaves and is back within a minute is shared`(name: String, uses: [Use]) {
        var sightings = PassSightings()
        for use in uses {
            let isShared = sightings.note(use.network, atMS: 1_000_000 + use.second * 1000)
            #expect(isShared == use.isShared, "\(name) at \(use.second) s")
        }
    }

    @Test func `a pass is reported once a minute, and told to others when it goes elsewhere or every 15 s`() {
        var table = PassUseTable(seed: 7)
        var shared: [Int64] = []
        var told: [Int64] = []
        for second in Int64(0)..<150 {
            let network = second % 2 == 0 ? Self.home : Self.office
            let finding = table.note("pass", from: network, atMS: 1_000_000 + second * 1000)
            if finding.isShared { shared.append(second) }
        }
        for second in Int64(0)..<40 {
            let finding = table.note("other", from: Self.home, atMS: 1_000_000 + second * 1000)
            #expect(!finding.isShared)
            if finding.isNews { told.append(second) }
        }
        #expect(shared == [2, 62, 122])
        #expect(told == [0, 15, 30])
    }

    @Test func `many passes stay within the table, and a forgotten one is found again when it goes on`() {
        var table = PassUseTable(capacity: 64, seed: 3)
        for number in 0..<10_000 {
            #expect(!table.note("pass-\(number)", from: Self.home, atMS: Int64(number)).isShared)
        }
        #expect(table.capacity == 64)
        #expect(PassUseTable.bytesPerPass <= 112)
        _ = table.note("pass-1", from: Self.home, atMS: 20_000)
        _ = table.note("pass-1", from: Self.office, atMS: 20_001)
        #expect(table.note("pass-1", from: Self.home, atMS: 20_002).isShared)
    }
}
