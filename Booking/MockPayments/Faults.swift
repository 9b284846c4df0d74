// Misbehaviour on request: which calls go wrong next, and how.

import PaymentLedger
import Synchronization

/// The calls a fault can be asked for.
enum CallKind: String, Codable, Sendable, CaseIterable {
    case create, confirm, capture, cancel, retrieve, refund, dispute, any
}

/// One kind of misbehaviour, for some calls.
struct Fault: Codable, Equatable, Sendable {
    enum Kind: String, Codable, Sendable {
        /// No answer in time; nothing was done.
        case timeoutBefore = "timeout_before"
        /// It was done, and no answer comes in time.
        case timeoutAfter = "timeout_after"
        /// 500, and nothing was done.
        case errorBefore = "error_before"
        /// It was done, and the answer is 500.
        case errorAfter = "error_after"
        /// A late answer.
        case slow
        /// 429.
        case tooMany = "too_many"
        /// It was done, and the answer names another state.
        case wrongState = "wrong_state"
        /// It was done, and the answer names another amount.
        case wrongAmount = "wrong_amount"
    }

    static let countMax = 10_000
    static let delayMax = 120_000

    var call: CallKind
    var kind: Kind
    /// Calls it is for.
    var count: Int
    /// Calls of the kind that go well before.
    var skip: Int
    /// Of `slow` and of the time-outs.
    var delayMS: Int
    /// The state of `wrong_state`.
    var state: String?
    /// The amount of `wrong_amount`.
    var amount: Int64?

    private enum CodingKeys: String, CodingKey {
        case call, kind, count, skip
        case delayMS = "delay_ms"
        case state, amount
    }

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        call = try members.decode(CallKind.self, forKey: .call)
        kind = try members.decode(Kind.self, forKey: .kind)
        count = min(max(try members.decodeIfPresent(Int.self, forKey: .count) ?? 1, 1), Self.countMax)
        skip = min(max(try members.decodeIfPresent(Int.self, forKey: .skip) ?? 0, 0), Self.countMax)
        delayMS = min(max(try members.decodeIfPresent(Int.self, forKey: .delayMS) ?? 30_000, 0), Self.delayMax)
        state = try members.decodeIfPresent(String.self, forKey: .state)
        amount = try members.decodeIfPresent(Int64.self, forKey: .amount)
    }

    var delay: Duration { .milliseconds(delayMS) }
    /// Whether the call takes effect.
    var hasEffect: Bool {
        switch kind {
        case .timeoutBefore, .errorBefore, .tooMany: false
        case .timeoutAfter, .errorAfter, .slow, .wrongState, .wrongAmount: true
        }
    }
}

/// The faults still to come, oldest first.
final class FaultPlan: Sendable {
    static let faultsMax = 100

    private let waiting = Mutex<[Fault]>([])

    var faults: [Fault] { waiting.withLock { $0 } }

    /// `false` when there are too many already.
    func add(_ fault: Fault) -> Bool {
        waiting.withLock { faults in
            guard faults.count < Self.faultsMax else { return false }
            faults.append(fault)
            return true
        }
    }

    func clear() { waiting.withLock { $0 = [] } }

    /// The fault of this call, if it has one; each is used as often as it says.
    func take(_ call: CallKind) -> Fault? {
        waiting.withLock { faults in
            for index in faults.indices where faults[index].call == call || faults[index].call == .any {
                if faults[index].skip > 0 {
                    faults[index].skip -= 1
                    continue
                }
                let fault = faults[index]
                faults[index].count -= 1
                if faults[index].count == 0 { faults.remove(at: index) }
                return fault
            }
            return nil
        }
    }
}

/// How events go wrong: more than once, late, and out of order.
struct WebhookDisorder: Codable, Equatable, Sendable {
    static let copiesMax = 10
    static let delayMax = 120_000

    /// How often each event is delivered.
    var copies = 1
    /// Each delivery waits so long, and with `shuffle` up to so long, by chance.
    var delayMS = 0
    var shuffle = false

    init() {}

    private enum CodingKeys: String, CodingKey {
        case copies
        case delayMS = "delay_ms"
        case shuffle
    }

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        copies = min(max(try members.decodeIfPresent(Int.self, forKey: .copies) ?? 1, 1), Self.copiesMax)
        delayMS = min(max(try members.decodeIfPresent(Int.self, forKey: .delayMS) ?? 0, 0), Self.delayMax)
        shuffle = try members.decodeIfPresent(Bool.self, forKey: .shuffle) ?? false
    }

    /// What one delivery waits; `chance` is from 0 to 1.
    func pause(chance: Double) -> Duration {
        .milliseconds(shuffle ? Double(delayMS) * chance : Double(delayMS))
    }
}
