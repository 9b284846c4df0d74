import BookingDatabase
import Foundation
import Ordering
import Postgres
import TestSupport
import Testing

/// No plan may read more than it looks up, whatever the statistics were when it was made: explained over tables of one
/// row each, where reading everything looks cheapest.
@Suite struct PlanTests {
    /// Those that are meant to read a whole small table or a queue from its front.
    private static let wholeReaders = [
        "backlog_accept", "backlog_front", "backlog_seats", "backlog_size", "cancellations_open", "events_due",
        "events_forget", "group_lag", "group_take", "group_yield", "member_clean", "open_refunds", "open_sagas",
        "outbox_clean",
        "parked_count", "parked_list", "partition_adopt", "refunds_waiting", "sessions", "shows", "unprojected",
        "waiting_parties", "webhook_due", "webhook_endpoints", "webhook_enqueue", "webhook_insert", "webhook_types",
    ]

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Booking/Database/SQL")

    @Test func `every statement looks up by the first columns of an index`() async throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).sorted()
        #expect(files.count > 80)
        try await withBooking { (booking) async throws in
            _ = try await booking.buy([0])
            let connection = PostgresConnection(configuration: booking.configuration)
            try await connection.open()
            try await connection.script("ANALYZE")
            let keys = try await Self.keys(connection)
            for file in files where file.hasSuffix(".sql") {
                let name = String(file.dropLast(4))
                let sql = try String(contentsOf: Self.folder.appendingPathComponent(file), encoding: .utf8)
                let plan = try await Self.plan(of: sql, name: name, connection)
                guard !Self.wholeReaders.contains(name) else { continue }
                #expect(Self.walks(in: plan, keys: keys).isEmpty, "\(name)")
            }
            await connection.close()
        }
    }

    @Test(arguments: ["backlog_accept", "backlog_front", "backlog_seats", "backlog_size"])
    func `of all orders only those that wait are read for the backlog`(name: String) async throws {
        try await withBooking { (booking) async throws in
            _ = try await booking.buy([0])
            let connection = PostgresConnection(configuration: booking.configuration)
            try await connection.open()
            try await connection.script("ANALYZE")
            let file = Self.folder.appendingPathComponent("\(name).sql")
            let plan = try await Self.plan(of: try String(contentsOf: file, encoding: .utf8), name: name, connection)
            #expect(plan.contains { $0.contains("using orders_waiting on orders") }, "\(plan)")
            #expect(!plan.contains { $0.contains("Seq Scan on orders") || $0.contains("orders_pkey") }, "\(plan)")
            await connection.close()
        }
    }

    @Test(
        arguments: [
            "SELECT * FROM orders WHERE seat_count = $1",
            "SELECT * FROM unnest($1::uuid[]) AS asked(id) JOIN orders ON orders.id = asked.id",
            "SELECT * FROM seat_claim WHERE seat_no = $1",
        ]
    )
    func `a statement that walks is found`(sql: String) async throws {
        try await withBooking { (booking) async throws in
            _ = try await booking.buy([0])
            let connection = PostgresConnection(configuration: booking.configuration)
            try await connection.open()
            try await connection.script("ANALYZE")
            let plan = try await Self.plan(of: sql, name: "walk", connection)
            let keys = try await Self.keys(connection)
            #expect(!Self.walks(in: plan, keys: keys).isEmpty)
            await connection.close()
        }
    }

    /// The columns of every index.
    private static func keys(_ connection: PostgresConnection) async throws -> [String: [String]] {
        let indexes = try await connection.execute(
            Statement(
                "indexes",
                """
                SELECT relname::text AS name, (SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute
                    WHERE attrelid = pg_class.oid) AS columns
                FROM pg_class WHERE relkind = 'i' AND relnamespace = current_schema()::regnamespace
                """
            )
        )
        var keys: [String: [String]] = [:]
        for row in indexes.rows { keys[try row.text("name")] = try row.texts("columns") }
        return keys
    }

    private static func plan(of sql: String, name: String, _ connection: PostgresConnection) async throws -> [String] {
        let numbers = sql.matches(of: /\$(\d+)/).compactMap { Int($0.output.1) }
        let nulls = [String](repeating: "NULL", count: numbers.max() ?? 0).joined(separator: ", ")
        try await connection.script("PREPARE explained_\(name) AS \(sql)")
        let arguments = nulls.isEmpty ? "" : "(\(nulls))"
        let lines = try await connection.execute(
            Statement("explain \(name)", "EXPLAIN EXECUTE explained_\(name)\(arguments)")
        )
        return try lines.rows.map { try $0.text("QUERY PLAN") }
    }

    /// The scans of a plan that are not bound by the first column of their index, or leave a later one to a filter.
    private static func walks(in plan: [String], keys: [String: [String]]) -> [String] {
        var walks: [String] = []
        for (number, line) in plan.enumerated() {
            if line.contains("Seq Scan") { walks.append(line) }
            let index =
                line.firstMatch(of: /Index(?: Only)? Scan(?: Backward)? using (\w+) on/)?.output.1
                ?? line.firstMatch(of: /Bitmap Index Scan on (\w+)/)?.output.1
            guard let index, let columns = keys[String(index)], let first = columns.first else { continue }
            let condition = number + 1 < plan.count ? plan[number + 1] : ""
            guard condition.contains("Index Cond"), condition.contains(first) else {
                walks.append(line)
                continue
            }
            let filter = number + 2 < plan.count && plan[number + 2].contains("Filter:") ? plan[number + 2] : ""
            if columns.dropFirst().contains(where: { filter.contains("(\($0) = ") && !condition.contains($0) }) {
                walks.append(line)
            }
        }
        return walks
    }
}
