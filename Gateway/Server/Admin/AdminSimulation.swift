// POST /admin/v1/simulate: how a sale would go with a policy. Bounded in visitors and time, one at a time, off the loops.
import EdgeHTTP
import Foundation
import NIOCore
import NIOPosix
import Queueing
import Simulating
import Synchronization
import UsherAPI

/// One simulation at a time: it takes a core.
final class SimulationSlot: Sendable {
    private let isTaken = Atomic(false)

    func take() -> Bool { !isTaken.exchange(true, ordering: .acquiring) }
    func free() { isTaken.store(false, ordering: .releasing) }
}

/// What a call asks for.
struct SimulationRequest {
    static let visitorsMax = 200_000
    static let hoursMax = 48.0
    static let members: Set<String> = [
        "policy", "room", "arrivals", "csv", "seats", "seed", "hours", "strain",
    ]

    var policyDocument: [UInt8]?
    var room: String?
    var arrivals: String
    var csv: String?
    var seats: Int?
    var seed: UInt64
    var hours: Double
    var strain: ClosedRange<Double>?

    init(_ body: [UInt8]) throws {
        guard let object = try? JSONSerialization.jsonObject(with: Foundation.Data(body)) as? [String: Any] else {
            throw AdminRefusal(.invalidJSON)
        }
        if let unknown = object.keys.filter({ !Self.members.contains($0) }).min() {
            throw AdminRefusal(.validationFailed, "\(unknown.prefix(40)) is not a member of a simulation")
        }
        func member<Value>(_ name: String, _ type: Value.Type, _ what: String) throws(AdminRefusal) -> Value? {
            guard let value = object[name], !(value is NSNull) else { return nil }
            guard let value = value as? Value else { throw AdminRefusal(.validationFailed, "\(name) must be \(what)") }
            return value
        }
        if let policy = try member("policy", [String: Any].self, "a policy") {
            policyDocument = Array(try JSONSerialization.data(withJSONObject: policy))
        }
        room = try member("room", String.self, "the name of a room")
        csv = try member("csv", String.self, "lines of text")
        arrivals = try member("arrivals", String.self, "a description of a crowd") ?? (csv == nil ? "" : "steady")
        seats = try member("seats", Int.self, "a whole number")
        seed = try member("seed", UInt64.self, "a whole number") ?? 1
        hours = try member("hours", Double.self, "a number") ?? 24
        guard (0...Scenario.seatsMax).contains(seats ?? 0), hours > 0, hours <= Self.hoursMax else {
            throw AdminRefusal(
                .validationFailed,
                "seats are from 0 to \(Scenario.seatsMax), hours above 0 and at most \(Int(Self.hoursMax))"
            )
        }
        strain = try member("strain", String.self, "a text").map { try Scenario.strain($0) }
    }

    func crowd() throws(ScenarioFlaw) -> Crowd {
        let plan = try CrowdPlan(arrivals)
        if let csv {
            return try CrowdReader.read(Array(csv.utf8), plan: plan, seed: seed, visitorsMax: Self.visitorsMax)
        }
        guard plan.visitors <= Self.visitorsMax else {
            throw ScenarioFlaw("arrivals: at most \(Self.visitorsMax) visitors here; `usher simulate` takes more")
        }
        return Crowd(plan, seed: seed)
    }
}

extension AdminAPI {
    static let simulationMax: Duration = .seconds(10)

    func simulate(_ request: EdgeRequest) async throws -> EdgeReply {
        guard simulations.take() else {
            var refusal = AdminRefusal(.rateLimited, "a simulation is running")
            refusal.headers = ["Retry-After": "2"]
            throw refusal
        }
        defer { simulations.free() }
        let asked: SimulationRequest
        do {
            asked = try SimulationRequest(Array(request.body.readableBytesView))
        } catch let flaw as ScenarioFlaw {
            throw AdminRefusal(.validationFailed, "\(flaw)")
        }
        var scenario = Scenario(policy: try await policy(of: asked), seats: asked.seats, seed: asked.seed)
        scenario.hours = asked.hours
        scenario.strain = asked.strain
        let report = try await run(scenario, asked)
        if request.first("accept")?.contains("image/svg+xml") ?? false {
            return EdgeReply(status: 200, contentType: "image/svg+xml", text: report.svg)
        }
        return json(200, String(decoding: report.json, as: UTF8.self))
    }

    private func policy(of asked: SimulationRequest) async throws -> RoomPolicy {
        if let document = asked.policyDocument {
            do {
                return try RoomPolicy(json: document)
            } catch {
                throw AdminRefusal(.policyInvalid, "\(error)")
            }
        }
        guard let room = asked.room else { throw AdminRefusal(.validationFailed, "policy or room is needed") }
        guard let name = RoomName(room), let known = try await store.read(name) else { throw AdminRefusal(.notFound) }
        return known.snapshot.policy
    }

    /// On a thread for work that blocks; what takes too long ends where it is, and its report says so.
    private func run(_ scenario: Scenario, _ asked: SimulationRequest) async throws -> SimulationReport {
        let result: Result<SimulationReport, ScenarioFlaw> = try await NIOThreadPool.singleton.runIfActive {
            do throws(ScenarioFlaw) {
                let end = ContinuousClock.now + Self.simulationMax
                var simulation = Simulation(scenario, try asked.crowd())
                return .success(simulation.run { _, _ in ContinuousClock.now < end })
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let report): return report
        case .failure(let flaw): throw AdminRefusal(.validationFailed, "\(flaw)")
        }
    }
}
