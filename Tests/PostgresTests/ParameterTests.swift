import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct ParameterTests {
    @Test func `every kind of value comes back as it went`() async throws {
        let id = UUID()
        let text = "Grüße, 世界 'quoted' \"double\" \\ {a,b} \n NULL"
        let bytes = (0...255).map { UInt8($0) }
        try await withTemporaryPostgresPool { pool in
            let row = try #require(
                try await pool.execute(
                    Statement(
                        "values",
                        """
                        SELECT $1 AS a_text, $2 AS some_bytes, $3 AS a_number, $4 AS yes, $5 AS an_id, $6 AS a_time,
                            $7 AS texts, $8 AS numbers, $9 AS ids, $10::bytea[] AS blobs
                        """,
                        [
                            .text(text), .bytes(bytes), .int(.min), .bool(true), .uuid(id),
                            .milliseconds(1_700_000_000_123), .texts([text, "", "NULL"]), .ints([.min, 0, .max]),
                            .uuids([id]), .byteses([[], bytes]),
                        ]
                    )
                ).first
            )
            #expect(try row.text("a_text") == text)
            #expect(try row.bytes("some_bytes") == bytes)
            #expect(try row.int("a_number") == .min)
            #expect(try row.bool("yes"))
            #expect(try row.uuid("an_id") == id)
            #expect(try row.milliseconds("a_time") == 1_700_000_000_123)
            #expect(try row.texts("texts") == [text, "", "NULL"])
            #expect(try row.ints("numbers") == [.min, 0, .max])
            #expect(try row.uuids("ids") == [id])
        }
    }

    @Test func `empty values are not null`() async throws {
        try await withTemporaryPostgresPool { pool in
            let row = try #require(
                try await pool.execute(
                    Statement(
                        "empty",
                        "SELECT $1 AS a, $2 AS b, $3 AS c, $4 AS d",
                        [.text(""), .bytes([]), .ints([]), .texts([])]
                    )
                ).first
            )
            #expect(try row.text("a").isEmpty)
            #expect(try row.bytes("b").isEmpty)
            #expect(try row.ints("c").isEmpty)
            #expect(try row.texts("d").isEmpty)
        }
    }

    @Test func `nulls go and come, alone and inside arrays`() async throws {
        try await withTemporaryPostgresPool { pool in
            let result = try await pool.execute(
                Statement(
                    "nulls",
                    """
                    SELECT t, b, n, y, u, m, $7::uuid IS NULL AS is_null
                    FROM unnest($1::text[], $2::bytea[], $3::bigint[], $4::boolean[], $5::uuid[], $6::timestamptz[])
                        AS rows(t, b, n, y, u, m)
                    """,
                    [
                        .texts([nil, "x"]), .byteses([nil, [1]]), .ints([nil, 1]), .bools([nil, false]),
                        .uuids([nil, UUID()]), .millisecondses([nil, -1]), .uuid(nil),
                    ]
                )
            )
            let (empty, full) = (try #require(result.rows.first), try #require(result.rows.last))
            #expect(try empty.optionalText("t") == nil)
            #expect(try empty.optionalBytes("b") == nil)
            #expect(try empty.optionalInt("n") == nil)
            #expect(try empty.optionalBool("y") == nil)
            #expect(try empty.optionalUUID("u") == nil)
            #expect(try empty.optionalMilliseconds("m") == nil)
            #expect(try empty.bool("is_null"))
            #expect(try full.milliseconds("m") == -1)
            #expect(throws: PostgresFailure.unreadable("column t is null")) { try empty.text("t") }
        }
    }

    @Test(arguments: [-62_135_596_800_000, -1, 0, 1, 946_684_799_999, 946_684_800_000, 253_402_300_799_999])
    func `a moment is the same to PostgreSQL`(milliseconds: Int) async throws {
        try await withTemporaryPostgresPool { pool in
            let row = try #require(
                try await pool.execute(
                    Statement(
                        "moment",
                        "SELECT $1 AS back, (extract(epoch FROM $1) * 1000)::bigint AS seen",
                        [.milliseconds(milliseconds)]
                    )
                ).first
            )
            #expect(try row.milliseconds("back") == milliseconds)
            #expect(try row.int("seen") == milliseconds)
        }
    }

    @Test func `a time out of range and a text with a zero byte are refused and harm nothing`() async throws {
        try await withTemporaryPostgresPool(connectionsMax: 1) { pool in
            await #expect(throws: PostgresFailure.self) {
                try await pool.execute(Statement("time", "SELECT $1 AS a", [.milliseconds(.max)]))
            }
            let failure = await #expect(throws: PostgresFailure.self) {
                try await pool.execute(Statement("zero", "SELECT $1 AS a", [.text("a\u{0}b")]))
            }
            guard case .refused(let state, _, _) = failure else {
                Issue.record("\(String(describing: failure))")
                return
            }
            #expect(state.rawValue == "22021")
            let fine = try await pool.execute(Statement("fine", "SELECT 1 AS a"))
            #expect(try fine.first?.int("a") == 1)
        }
    }

    @Test func `a column of another type or name is unreadable`() async throws {
        try await withTemporaryPostgresPool { pool in
            let row = try #require(try await pool.execute(Statement("one", "SELECT 1::smallint AS a")).first)
            #expect(try row.int("a") == 1)
            #expect(throws: PostgresFailure.self) { try row.text("a") }
            #expect(throws: PostgresFailure.self) { try row.int("b") }
        }
    }

    @Test func `jsonb comes as text`() async throws {
        try await withTemporaryPostgresPool { pool in
            let result = try await pool.execute(
                Statement("json", "SELECT $1::jsonb AS j", [.text(#"{"a": 1}"#)])
            )
            #expect(try result.first?.text("j") == #"{"a": 1}"#)
        }
    }
}
