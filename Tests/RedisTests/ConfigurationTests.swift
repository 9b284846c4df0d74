import Redis
import Testing

@Suite struct ConfigurationTests {
    struct Reading: Sendable {
        let url: String
        let address: RedisConfiguration.Address
        var database = 0
        var user: String?
        var password: String?
    }

    @Test(arguments: [
        Reading(url: "unix:///run/r.sock", address: .unixSocket(path: "/run/r.sock")),
        Reading(url: "unix:///run/r.sock?db=4", address: .unixSocket(path: "/run/r.sock"), database: 4),
        Reading(
            url: "unix:///a/b?user=u&password=p%40q",
            address: .unixSocket(path: "/a/b"),
            user: "u",
            password: "p@q"
        ),
        Reading(url: "redis://localhost", address: .tcp(host: "localhost", port: 6379)),
        Reading(url: "redis://[::1]:7000/2", address: .tcp(host: "::1", port: 7000), database: 2),
        Reading(
            url: "redis://:secret@10.0.0.1:6380/15",
            address: .tcp(host: "10.0.0.1", port: 6380),
            database: 15,
            password: "secret"
        ),
        Reading(
            url: "redis://app:s%3Ac@h/0",
            address: .tcp(host: "h", port: 6379),
            user: "app",
            password: "s:c"
        ),
    ])
    func `an address is read in full`(_ reading: Reading) throws {
        let configuration = try RedisConfiguration(url: reading.url)
        #expect(configuration.address == reading.address)
        #expect(configuration.database == reading.database)
        #expect(configuration.user == reading.user)
        #expect(configuration.password == reading.password)
    }

    @Test(arguments: [
        "", "localhost:6379", "http://h", "rediss://h", "redis://", "redis://h/x", "redis://h/-1", "unix://",
        "unix:///",
        "unix://run/r.sock", "unix:///r.sock?db=x", "unix:///r.sock?dbs=1",
        "unix:///" + String(repeating: "x", count: 107),
    ])
    func `a bad address is refused`(_ url: String) {
        #expect(throws: RedisAddressFlaw.self) { try RedisConfiguration(url: url) }
    }

    @Test func `the password is not shown`() throws {
        let configuration = try RedisConfiguration(url: "redis://app:secret@h:1/2")
        #expect("\(configuration)" == "redis://h:1/2")
    }
}
