// What admins read and change of rooms in Redis.
import Fairness
package import Queueing
package import Redis
import Signing

package struct RoomStore: Sendable {
    package enum Change: Sendable, Equatable {
        case done
        case noRoom
        /// Somebody else was first.
        case conflict
    }

    package enum PhaseMover: String, Sendable {
        case admin, time
    }

    package enum PolicyChange: Sendable, Equatable {
        case done(version: Int)
        case noRoom
        case conflict(version: Int)
        /// This member cannot change any more.
        case frozen(member: String)
    }

    let redis: RedisClient

    package init(redis: RedisClient) {
        self.redis = redis
    }

    /// - Returns: false when there is a room of that name.
    package func create(
        _ name: RoomName,
        _ policy: RoomPolicy,
        phase: Phase,
        generation: Int,
        secret: [UInt8] = SecureRandom.bytes(32)
    ) async throws -> Bool {
        // Listed first: a room that is listed and not there is nothing, a room that is not listed would stay unseen.
        _ = try await redis.call(["SADD", RoomKeys.rooms, .text(name.text)])
        let reply = try await redis.call(
            RoomFunctions.create,
            keys: RoomKeys(name).forPolicy,
            arguments: [
                .bytes(policy.canonicalJSON), .text(policy.hash), .text(Hex.encode(SecureRandom.bytes(32))),
                .text(phase.rawValue), .integer(generation), .text(Hex.encode(secret)),
                .text(Hex.encode(Commitment.of(room: name.text, generation: generation, secret: secret).bytes)),
            ] + Self.numbers(policy)
        )
        return reply.asInteger == 1
    }

    package func update(_ name: RoomName, _ policy: RoomPolicy, version: Int) async throws -> PolicyChange {
        let reply = try await redis.call(
            RoomFunctions.updatePolicy,
            keys: RoomKeys(name).forPolicy,
            arguments: [.integer(version), .bytes(policy.canonicalJSON), .text(policy.hash)] + Self.numbers(policy)
        )
        let parts = reply.asArray ?? []
        return switch parts.first?.asInteger {
        case 1: .done(version: parts.last?.asInteger ?? 0)
        case 0: .conflict(version: parts.last?.asInteger ?? 0)
        case 2: .frozen(member: parts.last?.asText ?? "")
        default: .noRoom
        }
    }

    /// With a lease only while it is held.
    package func setPhase(
        _ name: RoomName,
        from: Phase,
        to: Phase,
        by mover: PhaseMover = .admin,
        lease: RoomLease? = nil
    ) async throws -> Change {
        let reply = try await redis.call(
            RoomFunctions.setPhase,
            keys: RoomKeys(name).forPhase,
            arguments: [.text(from.rawValue), .text(to.rawValue), .text(mover.rawValue)] + (lease?.arguments ?? [])
        )
        return switch reply.asInteger {
        case 1: .done
        case 0: .conflict
        default: .noRoom
        }
    }

    package func setOverride(_ name: RoomName, _ override: Override) async throws -> Change {
        let reply = try await redis.call(
            RoomFunctions.setOverride,
            keys: RoomKeys(name).forOverride,
            arguments: [.text(override.text)]
        )
        return reply.asInteger == 1 ? .done : .noRoom
    }

    /// Ends a pass by its id.
    /// - Returns: whether it was live.
    package func revoke(_ name: RoomName, passID: String, until: Moment) async throws -> Bool {
        let reply = try await redis.call(
            RoomFunctions.endPass,
            keys: RoomKeys(name).forEnd,
            arguments: [.text(passID), "0", RedisArgument(until.milliseconds), "admin"]
        )
        return reply.asInteger == 1
    }

    package func read(_ name: RoomName) async throws -> KnownRoom? {
        let reply = try await redis.call(
            RoomFunctions.snapshot,
            keys: RoomKeys(name).forSnapshot,
            arguments: ["0", "-1", "0", "0", "0"]
        )
        return SnapshotReader.read(reply, name: name, known: nil)
    }

    package func names() async throws -> [RoomName] {
        let reply = try await redis.call(["SMEMBERS", RoomKeys.rooms])
        return (reply.asArray ?? []).compactMap { $0.asText.flatMap { RoomName($0) } }.sorted { $0.text < $1.text }
    }

    /// The numbers of a policy that the functions work with.
    static func fields(_ policy: RoomPolicy) -> [(String, String)] {
        [
            ("per_minute", String(policy.admission.perMinute)), ("burst", String(policy.admission.burstAllowed)),
            ("active_max", String(policy.admission.activeMax)),
            ("window_ms", String(policy.claim.windowSeconds * 1000)),
            ("grace_ms", String(policy.claim.graceSeconds * 1000)), ("idle_ms", String(policy.passIdleSeconds * 1000)),
            ("lifetime_ms", String(policy.passLifetimeSeconds * 1000)), ("order", policy.orderJSON),
            ("method", policy.order.rawValue), ("tie_ms", String(policy.tieWindowMS)),
            ("sale_opens_at", policy.schedule.saleOpensAt.map { String($0.milliseconds) } ?? ""),
        ]
    }

    private static func numbers(_ policy: RoomPolicy) -> [RedisArgument] {
        fields(policy).flatMap { [.text($0.0), .text($0.1)] }
    }
}
