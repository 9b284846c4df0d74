import Testing

@testable import Queueing

struct PollDelayTests {
    @Test func `polls are spread evenly over the numbers of one snapshot`() {
        for asOf in [Int64(0), 1, 1_770_000_000_000, .max] {
            var tenths = [Int](repeating: 0, count: 10)
            for number in UInt64(1)...20_000 {
                let chance = PollDelay.chance(number: number, asOf: Moment(milliseconds: asOf))
                #expect(chance >= 0 && chance < 1)
                tenths[Int(chance * 10)] += 1
            }
            // Six standard deviations of a binomial count around 2,000.
            for count in tenths { #expect(abs(count - 2000) < 255) }
        }
    }

    @Test func `one place comes at another moment after each pull`() {
        let chances = (0..<1000).map { PollDelay.chance(number: 7, asOf: Moment(milliseconds: 1_770_000_000_000 + $0)) }
        #expect(Set(chances).count == 1000)
        #expect(abs(chances.reduce(0, +) / 1000 - 0.5) < 0.06)
        let again = PollDelay.chance(number: 7, asOf: Moment(milliseconds: 1_770_000_000_000))
        #expect(again == chances[0])
    }
}
