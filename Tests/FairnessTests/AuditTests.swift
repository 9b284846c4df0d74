@testable import Fairness
import Foundation
import Signing
import Testing

struct AuditTests {
    @Test(arguments: RoomFixture.Kind.allCases)
    func `a room that kept its promises passes every check`(kind: RoomFixture.Kind) throws {
        let report = Audit.run(try RoomFixture(kind).bundle())
        #expect(report.checks.filter { $0.verdict == .failed } == [])
        #expect(report.holds)
        let passed = Set(report.checks.filter { $0.verdict == .ok }.map(\.name))
        #expect(passed.isSuperset(of: ["format", "keys", "signatures", "tree", "coverage", "policies", "ranks"]))
        #expect(passed.isSuperset(of: ["places", "moves", "claims", "order", "arrivals"]))
        #expect(passed.contains("draw") == (kind == .lottery || kind == .commitReveal))
        #expect(passed.contains("ties") == (kind == .ties))
        #expect(report.checks.count == 17)
    }

    @Test(arguments: Tampering.all)
    func `attack 21: a changed bundle fails the checks it should and no others`(tampering: Tampering) throws {
        let report = Audit.run(try tampering.bundle())
        let failing = Set(report.checks.filter { $0.verdict == .failed }.map(\.name))
        #expect(failing == tampering.failing, "\(report.checks.filter { $0.verdict == .failed })")
    }

    @Test func `a bundle survives its file`() throws {
        for kind in RoomFixture.Kind.allCases {
            let bundle = try RoomFixture(kind).bundle()
            let read = try RoomBundle(file: try bundle.file())
            #expect(read.sections == bundle.sections)
            var header = read.header
            #expect(header.sections.map(\.name) == RoomBundle.Section.allCases.map(\.rawValue))
            header.sections = []
            #expect(header == bundle.header)
        }
    }

    @Test(arguments: [
        "", "{}\n", "[]\n", "{\"format\":\"usher-bundle/2\"}\n", "not a bundle", "\n",
    ])
    func `a file that is no bundle is refused`(text: String) {
        #expect(throws: BundleFlaw.self) { try RoomBundle(file: Array(text.utf8)) }
    }

    @Test func `a file that is cut short, or goes on, is refused`() throws {
        let file = try RoomFixture(.ties).bundle().file()
        #expect(throws: BundleFlaw.self) { try RoomBundle(file: Array(file.dropLast())) }
        #expect(throws: BundleFlaw.self) { try RoomBundle(file: file + [0]) }
    }

    @Test func `who left, or was called and did not come, may come again`() throws {
        var fixture = try RoomFixture(.strict)
        fixture.entries[290] = RoomFixture.entry(of: 285, at: fixture.entries[290].milliseconds)
        var bundle = try fixture.bundle()
        bundle.set(moves: bundle.moves, claims: bundle.claims, left: [286])
        #expect(Audit.run(bundle).holds)

        fixture = try RoomFixture(.strict)
        // Number 5 is called with the first and never claims; it is lost 420 s later.
        let lost = fixture.moveStart + 420_000
        fixture.entries[299] = RoomFixture.entry(of: 4, at: lost)
        #expect(Audit.run(try fixture.bundle()).holds)
        fixture.entries[299] = RoomFixture.entry(of: 4, at: lost - 1)
        #expect(!Audit.run(try fixture.bundle()).holds)
    }

    @Test func `a round that could not be had is replaced by the rule`() throws {
        var fixture = try RoomFixture(.lottery)
        fixture.moveStart += 60_000
        fixture.changeDraw = { draw in
            draw.named = [
                BundleHeader.Named(round: 1000, at: Quicknet.milliseconds(of: 1000) - 3000),
                BundleHeader.Named(round: 1020, at: Quicknet.milliseconds(of: 1000) + 30_000),
            ]
            draw.round = 1020
        }
        let checks = Audit.run(try fixture.bundle()).checks
        // The signature is that of round 1000: only BLS can tell, and this audit says that it does not.
        let beacon = checks.first { $0.name == "beacon" }
        #expect(beacon?.verdict == .ok)
        #expect(beacon?.detail.contains("BLS signature is not verified") == true)
    }

    @Test func `a lottery nobody entered needs no signature`() throws {
        var fixture = try RoomFixture(.lottery)
        fixture.cohort = 0
        for index in fixture.entries.indices {
            fixture.entries[index] = RoomFixture.entry(of: index, at: fixture.sealedAt + Int64(index))
        }
        fixture.checkpointSizes = [300]
        let late = Quicknet.milliseconds(of: 1000)
        var bundle = try fixture.bundle()
        bundle.header.checkpoints = [try fixture.note(size: 300, at: late)]
        #expect(Audit.run(bundle).checks.filter { $0.verdict == .failed } == [])
    }

    @Test func `numbers skipped after a loss are nobody's`() throws {
        var fixture = try RoomFixture(.strict)
        for index in 285..<290 { fixture.entries[index] = .void }
        #expect(Audit.run(try fixture.bundle()).holds)
    }

    @Test func `sealing late moves the round`() {
        let opens = Quicknet.milliseconds(of: 1000) - 6000
        #expect(NamedRound.first(saleOpensAt: opens, sealedAt: opens) == 1000)
        #expect(NamedRound.first(saleOpensAt: opens - 1, sealedAt: opens) == 1000)
        #expect(NamedRound.first(saleOpensAt: opens + 1, sealedAt: opens) == 1001)
        #expect(NamedRound.first(saleOpensAt: opens, sealedAt: opens + 3000) == 1000)
        #expect(NamedRound.first(saleOpensAt: opens, sealedAt: opens + 3001) == 1002)
        #expect(Quicknet.firstRound(from: 0) == 1)
    }
}

struct FairnessFiguresTests {
    @Test func `inversions are counted as the definition counts them`() {
        var state: UInt64 = 7
        func next() -> Int64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1
            return Int64(state >> 60)
        }
        for count in [0, 1, 2, 3, 7, 64, 100] {
            let values = (0..<count).map { _ in next() }
            var plain: UInt64 = 0
            for left in values.indices {
                for right in values.indices where left < right && values[left] > values[right] { plain += 1 }
            }
            #expect(FairnessFigures.inversions(of: values) == plain)
        }
        #expect(FairnessFigures.inversions(of: [3, 2, 1]) == 3)
        #expect(FairnessFigures.inversions(of: [1, 1, 1]) == 0)
    }

    @Test func `a line in order has none, one turned around all`() {
        let arrivals = (0..<100).map { Int64($0) }
        let all = [Bool](repeating: true, count: 100)
        let straight = FairnessFigures(arrivals: arrivals, ranks: (1...100).map { UInt64($0) }, isAdmitted: all)
        #expect(straight.inversions == 0 && straight.displacementP99 == 0)
        #expect(straight.admittedPerDecile == [Double](repeating: 1, count: 10))
        let turned = FairnessFigures(
            arrivals: arrivals,
            ranks: (1...100).reversed().map { UInt64($0) },
            isAdmitted: arrivals.map { $0 < 50 }
        )
        #expect(turned.inversions == 4950 && turned.inversionRate == 1)
        #expect(turned.displacementP50 == 49 && turned.displacementP99 == 99)
        #expect(turned.admittedPerDecile == [1, 1, 1, 1, 1, 0, 0, 0, 0, 0])
    }

    @Test(arguments: [2, 3, 10, 99, 100, 101])
    func `distances are those of all places sorted`(count: Int) {
        let seed = Digest.of(Array("\(count)".utf8))
        // Ranks with gaps, as numbers that nobody has leave them.
        let ranks = RankBlock(first: 1, count: UInt64(count), seed: seed).ranks().map { UInt64($0) * 3 }
        let moved = ranks.enumerated().map { UInt64(abs($0.offset - Int($0.element / 3 - 1))) }.sorted()
        let figures = FairnessFigures(
            arrivals: (0..<count).map { Int64($0) },
            ranks: ranks,
            isAdmitted: [Bool](repeating: false, count: count)
        )
        #expect(figures.displacementP50 == moved[(count - 1) / 2])
        #expect(figures.displacementP99 == moved[min(count - 1, (count * 99 + 99) / 100 - 1)])
        #expect(figures.inversions == FairnessFigures.inversions(of: ranks.map { Int64($0) }))
    }

    @Test func `nobody makes no figures`() {
        let figures = FairnessFigures(arrivals: [], ranks: [], isAdmitted: [])
        #expect(figures.inversionRate == 0 && figures.admittedPerDecile == [])
    }
}
