import Glibc
import Testing

@testable import RateLimiting

struct AllowanceTableTests {
    @Test func `memory stays fixed and a busy client outlives a crowd of one-timers`() throws {
        var limiter = RateLimiterTests.one(try #require(Rate(60, perSeconds: 60, burst: 100)), clients: 1024)
        let bytes = limiter.bytes
        _ = passes(&limiter, 100, from: 77_000_000)
        for client in 0..<100_000 { _ = limiter.check(address(client), account: nil, .api, atNS: 0) }
        let busy = passes(&limiter, 1, from: 77_000_000)
        let after = (capacity: limiter.capacity, bytes: limiter.bytes, evictions: limiter.evictions)
        #expect(busy == [false])
        #expect(after.capacity == 1024 && after.bytes == bytes && after.evictions > 90_000)
    }

    @Test func `the smallest table is one bucket and the largest is bounded`() {
        let sizes = [0, 8, 9, 131_072, .max].map { AllowanceTable(capacity: $0).capacity }
        #expect(sizes == [8, 8, 16, 131_072, AllowanceTable.capacityMax])
    }

    @Test func `who is forgotten has least to remember, and what is remembered stays exact`() throws {
        // A table of one bucket: the ninth client takes the place of the one whose allowance is back soonest.
        var limiter = RateLimiterTests.one(try #require(Rate(60, burst: 10)), clients: 8)
        for client in 1...8 { _ = passes(&limiter, client, from: client) }
        _ = passes(&limiter, 10, from: 100)
        let left = (2...8).map { passes(&limiter, 10, from: $0).count { $0 } }
        #expect(left == [8, 7, 6, 5, 4, 3, 2])
    }
}
