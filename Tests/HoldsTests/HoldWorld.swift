// A loaded session behind the port, once in Redis and once in memory: the contract suite runs on both.

import Foundation
import Holds
import Ordering
import Redis
import TestSupport
import Testing

enum Subject: String, CaseIterable, CustomTestStringConvertible {
    case redis, fake
    var testDescription: String { rawValue }
}

struct HoldWorld: Sendable {
    let store: any HoldStore
    /// Two sections: A with rows of 5 and 5, B with one row of 10.
    let layout: SessionLayout
    let session: SessionID
    let wipe: @Sendable () async throws -> Void

    static let layout = SessionLayout(sections: [
        section("A", rows: [5, 5]), section("B", rows: [10]),
    ])

    private static func section(_ name: String, rows: [Int]) -> SessionLayout.Section {
        SessionLayout.Section(
            name: name,
            area: name,
            price: Money(5000, "EUR"),
            rows: rows.enumerated().map { SessionLayout.Row(label: "\($0 + 1)", first: 1, count: $1) }
        )
    }

    func load(epoch: Int64 = 1, claims: [SessionInventory.Claim] = []) async throws(HoldFailure) {
        try await store.load(SessionInventory(session: session, epoch: epoch, layout: layout, claims: claims))
    }

    func place(
        _ seats: [SeatNumber],
        id: HoldID = .fresh(),
        by account: AccountID = .fresh(),
        limit: Int = 4,
        lifetime: Duration = .seconds(300),
        epoch: Int64 = 1,
        pass: String? = nil
    ) async throws(HoldFailure) -> Hold {
        try await choose(
            .named(seats, leavesNoOrphan: false),
            id: id,
            by: account,
            limit: limit,
            lifetime: lifetime,
            epoch: epoch,
            pass: pass
        )
    }

    func choose(
        _ selection: SeatSelection,
        id: HoldID = .fresh(),
        by account: AccountID = .fresh(),
        limit: Int = 4,
        lifetime: Duration = .seconds(300),
        epoch: Int64 = 1,
        pass: String? = nil
    ) async throws(HoldFailure) -> Hold {
        try await store.place(
            NewHold(
                id: id,
                session: session,
                account: account,
                selection: selection,
                limit: limit,
                lifetime: lifetime,
                epoch: epoch,
                pass: pass
            )
        )
    }

    func touch(_ hold: Hold, by account: AccountID? = nil, atLeast: Duration, epoch: Int64 = 1)
        async throws(HoldFailure) -> Hold
    {
        let account = account ?? hold.account
        return try await store.touch(hold.id, in: session, by: account, atLeast: atLeast, epoch: epoch)
    }

    func letters() async throws(HoldFailure) -> [String] {
        try await store.letters(of: session, sections: layout.sections.count).sections
    }

    func counts() async throws(HoldFailure) -> SeatCounts { try await store.counts(of: session) }

    func projection(
        of hold: Hold,
        order: OrderID = .fresh(),
        _ outcome: SeatProjection.Outcome,
        seats: [SeatNumber]? = nil
    ) -> SeatProjection {
        SeatProjection(
            position: 1,
            session: session,
            order: order,
            hold: hold.id,
            account: hold.account,
            seats: seats ?? hold.seats,
            outcome: outcome
        )
    }

    func project(_ projections: SeatProjection...) async {
        #expect(await store.project(projections) == projections.map { _ in nil })
    }
}

/// Runs `body` on a session that is loaded with `claims` at epoch 1.
func withHolds(
    _ subject: Subject,
    layout: SessionLayout = HoldWorld.layout,
    claims: [SessionInventory.Claim] = [],
    _ body: @Sendable (HoldWorld) async throws -> Void
) async throws {
    let session = SessionID.fresh()
    switch subject {
    case .fake:
        let store = FakeHoldStore()
        let world = HoldWorld(store: store, layout: layout, session: session) { await store.wipe() }
        try await world.load(claims: claims)
        try await body(world)
    case .redis:
        try await withRedisHolds(session: session, layout: layout, claims: claims) { world, _ in try await body(world) }
    }
}

func withRedisHolds(
    session: SessionID = .fresh(),
    layout: SessionLayout = HoldWorld.layout,
    claims: [SessionInventory.Claim] = [],
    _ body: @Sendable (HoldWorld, TemporaryRedis) async throws -> Void
) async throws {
    try await withTemporaryRedis { redis in
        try await redis.withClient { client in
            let world = HoldWorld(
                store: RedisHoldStore(redis: client),
                layout: layout,
                session: session
            ) { _ = try await client.call(["FLUSHALL"]) }
            try await world.load(claims: claims)
            try await body(world, redis)
        }
    }
}

extension Identifier {
    static func fresh() -> Self { Self(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max)) }
}

/// How a call was refused, or `nil` when it was not.
func refusal<Value>(_ call: () async throws -> Value) async -> HoldFailure? {
    do {
        _ = try await call()
        return nil
    } catch {
        if let failure = error as? HoldFailure { return failure }
        Issue.record(error)
        return nil
    }
}

/// Calls stand outside `#expect`: a closure inside a macro can be mistaken for its neighbour outside (Swift 6.3.1 gives
/// both the same symbol when their types agree).
func expectRefusal<Value>(
    _ expected: HoldFailure,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ call: () async throws -> Value
) async {
    let failure = await refusal(call)
    #expect(failure == expected, sourceLocation: sourceLocation)
}

func expectUnavailable<Value>(
    sourceLocation: SourceLocation = #_sourceLocation,
    _ call: () async throws -> Value
) async {
    let failure = await refusal(call)
    #expect(failure.isUnavailable, "\(String(describing: failure))", sourceLocation: sourceLocation)
}

extension HoldFailure? {
    var isUnavailable: Bool {
        if case .inventoryUnavailable = self { true } else { false }
    }
}

func untilPast(_ moment: Moment) async throws {
    try await eventually { FakeHoldStore.systemTime() > moment }
}

func inFuture(_ duration: Duration) -> Moment { FakeHoldStore.systemTime() + duration }
