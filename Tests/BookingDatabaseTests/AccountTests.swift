import BookingDatabase
import Ordering
import TestSupport
import Testing

@Suite struct AccountTests {
    private static func account(_ email: String, role: Account.Role = .buyer) -> Account {
        Account(id: .fresh(), email: email, role: role, passwordHash: "$argon2id$\(email)")
    }

    @Test func `an account is found by its address and by its id, and an address is taken once`() async throws {
        try await withBooking { (booking) async throws in
            let ada = Self.account("ada@example.org", role: .admin)
            #expect(try await booking.accounts.insert(ada))
            #expect(try await !booking.accounts.insert(Self.account("ada@example.org")))
            #expect(try await booking.accounts.account(withEmail: "ada@example.org") == ada)
            #expect(try await booking.accounts.account(ada.id) == ada)
            #expect(try await booking.accounts.account(withEmail: "bob@example.org") == nil)
            #expect(try await booking.accounts.account(.fresh()) == nil)
        }
    }

    @Test func `many accounts go in at once, those whose address is taken are skipped`() async throws {
        try await withBooking { (booking) async throws in
            let many = (0..<5000).map { Self.account("visitor-\($0)@example.org") }
            #expect(try await booking.accounts.insertMany(Array(many[..<10])) == 10)
            #expect(try await booking.accounts.insertMany(many) == 4990)
            #expect(try await booking.accounts.insertMany([]) == 0)
        }
    }

    @Test func `a refresh token works once and its successor next`() async throws {
        try await withBooking { (booking) async throws in
            let (accounts, ada) = (booking.accounts, Self.account("ada@example.org"))
            _ = try await accounts.insert(ada)
            let end = Booking.now + .seconds(60)
            try await accounts.insert(NewRefreshToken(hash: [1], account: ada.id, expiresAt: end))
            #expect(try await accounts.rotate(hash: [1], to: [2], expiresAt: end, now: Booking.now) == ada)
            #expect(try await accounts.rotate(hash: [2], to: [3], expiresAt: end, now: Booking.now) == ada)
            #expect(try await accounts.rotate(hash: [9], to: [4], expiresAt: end, now: Booking.now) == nil)
            try await accounts.deleteRefreshToken(hash: [3])
            #expect(try await accounts.rotate(hash: [3], to: [5], expiresAt: end, now: Booking.now) == nil)
        }
    }

    @Test func `a used token that comes again ends all tokens of its account, and an old one is no good`() async throws
    {
        try await withBooking { (booking) async throws in
            let (accounts, ada, bob) = (booking.accounts, Self.account("a@example.org"), Self.account("b@example.org"))
            _ = try await accounts.insertMany([ada, bob])
            let end = Booking.now + .seconds(60)
            for (hash, account) in [([1], ada), ([10], ada), ([20], bob)] as [([UInt8], Account)] {
                try await accounts.insert(NewRefreshToken(hash: hash, account: account.id, expiresAt: end))
            }
            _ = try await accounts.rotate(hash: [1], to: [2], expiresAt: end, now: Booking.now)
            #expect(try await accounts.rotate(hash: [1], to: [3], expiresAt: end, now: Booking.now) == nil)
            for hash in [[2], [10]] as [[UInt8]] {
                #expect(try await accounts.rotate(hash: hash, to: [4], expiresAt: end, now: Booking.now) == nil)
            }
            #expect(try await accounts.rotate(hash: [20], to: [21], expiresAt: end, now: end) == nil)
            #expect(try await accounts.rotate(hash: [20], to: [21], expiresAt: end, now: Booking.now) == bob)
        }
    }

    @Test func `of many who show the same token at once one is served`() async throws {
        try await withBooking { (booking) async throws in
            let (accounts, ada) = (booking.accounts, Self.account("ada@example.org"))
            _ = try await accounts.insert(ada)
            let end = Booking.now + .seconds(60)
            try await accounts.insert(NewRefreshToken(hash: [1], account: ada.id, expiresAt: end))
            let served = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<10 {
                    group.addTask {
                        let next = [100 + UInt8(number)]
                        let account = try await accounts.rotate(hash: [1], to: next, expiresAt: end, now: Booking.now)
                        return account == nil ? 0 : 1
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(served == 1)
        }
    }
}
