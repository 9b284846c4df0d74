import Testing

@testable import RateLimiting

struct AccessListTests {
    static func list(_ texts: [(String, Int64?)]) throws -> AccessList {
        var list = AccessList()
        for (text, end) in texts { list.insert(try AccessTarget(text), endMS: end) }
        return list
    }

    @Test(arguments: [
        ("203.0.113.7", true), ("203.0.113.8", false), ("10.1.2.3", true), ("::ffff:10.9.9.9", true),
        ("11.0.0.1", false),
        ("2001:db8::5", true), ("2001:db9::1", false), ("fe80::1", true), ("fe80::2", false),
    ])
    func `an address is found by itself or by its block`(text: String, isNamed: Bool) throws {
        let list = try Self.list([("203.0.113.7", nil), ("10.0.0.0/8", nil), ("2001:db8::/32", nil), ("fe80::1", nil)])
        let address = try #require(NetworkAddress(text))
        let named = list.names(address, atMS: 0)
        #expect(named == isNamed)
    }

    @Test(arguments: [
        ("badbot/1.0", true), ("BadBot/2", true), ("badbo", false), ("a badbot", false), ("curl/8.1", true),
        ("curl/7.88.1 (x)", false), ("", false), ("Mozilla/5.0", false),
    ])
    func `an agent is found by its beginning, without case`(agent: String, isNamed: Bool) throws {
        let list = try Self.list([("agent:BadBot", nil), ("agent:curl/8", nil), ("agent:badbotnet/9", nil)])
        let named = list.names(agent: agent.utf8, atMS: 0)
        #expect(named == isNamed)
    }

    @Test func `an entry ends at its time, and the latest end of several counts`() throws {
        let list = try Self.list([
            ("203.0.113.7", 1000), ("203.0.113.0/24", 500), ("account:usr_1", 1000), ("agent:bot", 1000),
            ("agent:bo", 2000),
        ])
        let address = try #require(NetworkAddress("203.0.113.7"))
        let ends = [
            (list.names(address, atMS: 999), list.names(address, atMS: 1000)),
            (list.names(account: "usr_1", atMS: 999), list.names(account: "usr_1", atMS: 1000)),
            (list.names(agent: "bot".utf8, atMS: 1999), list.names(agent: "bot".utf8, atMS: 2000)),
        ]
        for (before, after) in ends {
            #expect(before)
            #expect(!after)
        }
        #expect(!list.names(account: "usr_2", atMS: 0))
    }

    @Test func `the clock is read for nobody who is not on the list`() throws {
        let list = try Self.list([("203.0.113.7", 1000), ("agent:bot", nil)])
        var reads = 0
        func now() -> Int64 {
            reads += 1
            return 0
        }
        for last in 8..<100 {
            _ = list.names(try #require(NetworkAddress("203.0.113.\(last)")), atMS: now())
            _ = list.names(agent: "fine/\(last)".utf8, atMS: now())
        }
        #expect(reads == 0)
    }

    @Test func `many entries are all found, and the list is bounded`() throws {
        var list = AccessList()
        for number in 0..<AccessList.entriesMax { list.insert(.address(address(number))) }
        let missed = (0..<AccessList.entriesMax).count { !list.names(address($0), atMS: 0) }
        let full = list.insert(.account("usr_1"))
        #expect(missed == 0 && !full && list.count == AccessList.entriesMax)
        var agents = AccessList()
        let kept = (0...AccessList.agentsMax).count { agents.insert(.agent("bot-\($0)")) }
        #expect(kept == AccessList.agentsMax)
    }

    @Test(arguments: [
        ("2001:DB8::1", "2001:db8::1"), ("::ffff:1.2.3.4", "1.2.3.4"), ("2001:DB8::/32", "2001:db8::/32"),
        ("10.0.0.0/8", "10.0.0.0/8"), ("account:usr_1", "account:usr_1"), ("agent:BadBot/1", "agent:badbot/1"),
        ("::/0", "::/0"),
        ("0.0.0.0/0", "0.0.0.0/0"),
    ])
    func `an entry has one spelling`(text: String, spelling: String) throws {
        #expect(try AccessTarget(text).text == spelling)
    }

    @Test(arguments: [
        ("10.0.0.1/8", "10.0.0.1/8 has bits behind its length; the block is 10.0.0.0/8"),
        ("2001:db8::1/32", "2001:db8::1/32 has bits behind its length; the block is 2001:db8::/32"),
        ("10.0.0.0/33", "a block of this family has at most 32 bits"),
        ("::/129", "a block of this family has at most 128 bits"),
        ("10.0.0.0/", "entry is"), ("1.2.3", "entry is"), ("", "entry is"), ("10.0.0.0/8/8", "entry is"),
        ("10.0.0.0/-1", "entry is"), ("account:", "account: is followed"), ("account:a b", "account: is followed"),
        ("agent:", "agent: is followed"), ("agent: bot", "agent: is followed"),
    ])
    func `what names nobody is refused, and told why`(text: String, reason: String) {
        let flaw = #expect(throws: AccessTarget.Flaw.self) { try AccessTarget(text) }
        #expect(flaw?.description.hasPrefix(reason) ?? false)
    }

    @Test(arguments: [
        ("203.0.113.7", "203.0.113.7"), ("2001:db8::5", "2001:db8::/64"), ("2001:db8::/64", "2001:db8::/64"),
    ])
    func `a banned client is shown as what it is`(text: String, shown: String) throws {
        #expect(try #require(LimitKey(addressText: text)).addressText == shown)
    }
}
