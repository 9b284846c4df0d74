import EdgeHTTP
import GatewayServer
import NIOCore
import Operations
import Testing

struct EdgeLimitSettingsTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        /// The default, then the ends of the range.
        var standard: String
        var lowest: String
        var highest: String
        /// One below and one above.
        var outside: [String]
        var testDescription: String { name }
    }

    static let rows = [
        Row(name: "request-line-max", standard: "8192", lowest: "64", highest: "32000", outside: ["63", "32001"]),
        Row(name: "header-line-max", standard: "8192", lowest: "64", highest: "32000", outside: ["63", "32001"]),
        Row(name: "head-max", standard: "16384", lowest: "256", highest: "32000", outside: ["255", "32001"]),
        Row(name: "headers-max", standard: "64", lowest: "1", highest: "250", outside: ["0", "251"]),
        Row(
            name: "body-max",
            standard: "65536",
            lowest: "0",
            highest: "1099511627776",
            outside: ["-1", "2000000000000"]
        ),
        Row(
            name: "requests-per-connection-max",
            standard: "1000",
            lowest: "1",
            highest: "1000000000",
            outside: ["0", "1000000001"]
        ),
        Row(
            name: "body-rate-min",
            standard: "1024",
            lowest: "0",
            highest: "1073741824",
            outside: ["-1", "1073741825"]
        ),
        Row(
            name: "reply-rate-min",
            standard: "8192",
            lowest: "0",
            highest: "1073741824",
            outside: ["-1", "1073741825"]
        ),
        Row(name: "head-time", standard: "5s", lowest: "100ms", highest: "600s", outside: ["99ms", "601s"]),
        Row(name: "body-time", standard: "30s", lowest: "100ms", highest: "3600s", outside: ["99ms", "3601s"]),
        Row(name: "body-grace-time", standard: "5s", lowest: "100ms", highest: "600s", outside: ["99ms", "601s"]),
        Row(name: "idle-time", standard: "15s", lowest: "100ms", highest: "600s", outside: ["99ms", "601s"]),
        Row(name: "stall-time", standard: "8s", lowest: "100ms", highest: "600s", outside: ["99ms", "601s"]),
        Row(name: "linger-time", standard: "1s", lowest: "100ms", highest: "600s", outside: ["99ms", "601s"]),
    ]

    private static func limits(_ arguments: [String]) throws -> EdgeLimits {
        let settings = try Settings.read(
            section: "gateway",
            keys: GatewayConfiguration.keys,
            arguments: arguments,
            environment: [:]
        )
        let configuration = try GatewayConfiguration(settings)
        #expect(configuration.admin.limits.headTime == configuration.listener.limits.headTime)
        return configuration.listener.limits
    }

    @Test func `every bound of the edge is a setting of this table`() {
        #expect(EdgeLimitSettings.keys.map(\.name).sorted() == Self.rows.map(\.name).sorted())
        let boundCount = Mirror(reflecting: EdgeLimits()).children.count
        #expect(boundCount == Self.rows.count)
    }

    @Test(arguments: rows)
    func `a bound has its default, keeps to its range, and is named by --help`(_ row: Row) throws {
        #expect(EdgeLimitSettings.keys.first { $0.name == row.name }?.standard == row.standard)
        let standard = try Self.described([])
        for value in [row.lowest, row.highest] {
            #expect(try Self.described(["--\(row.name)", value]) != standard, "\(value)")
        }
        for value in row.outside + ["", "x", "1.5", "5 s"] {
            #expect(throws: SettingsFault.self, "\(value)") { try Self.limits(["--\(row.name)=\(value)"]) }
        }
        let help = Settings.help(program: "p", purpose: "q", section: "gateway", keys: GatewayConfiguration.keys)
        #expect(help.contains("--\(row.name) "))
        #expect(help.contains("[\(row.standard)]"))
    }

    @Test func `a setting changes its own bound`() throws {
        let limits = try Self.limits([
            "--request-line-max", "101", "--header-line-max", "102", "--head-max", "303", "--headers-max", "4",
            "--body-max", "105", "--requests-per-connection-max", "6", "--body-rate-min", "107", "--head-time", "8s",
            "--body-time", "9s", "--body-grace-time", "10s", "--idle-time", "11s", "--stall-time", "12s",
            "--linger-time", "13s", "--reply-rate-min", "114",
        ])
        #expect(limits.requestLineBytesMax == 101)
        #expect(limits.headerLineBytesMax == 102)
        #expect(limits.headBytesMax == 303)
        #expect(limits.headerCountMax == 4)
        #expect(limits.bodyBytesMax == 105)
        #expect(limits.requestsPerConnectionMax == 6)
        #expect(limits.bodyRateMin == 107)
        #expect(limits.headTime == .seconds(8))
        #expect(limits.bodyTime == .seconds(9))
        #expect(limits.bodyGraceTime == .seconds(10))
        #expect(limits.idleTime == .seconds(11))
        #expect(limits.stallTime == .seconds(12))
        #expect(limits.lingerTime == .seconds(13))
        #expect(limits.replyRateMin == 114)
    }

    private static func described(_ arguments: [String]) throws -> String {
        "\(try limits(arguments))"
    }
}
