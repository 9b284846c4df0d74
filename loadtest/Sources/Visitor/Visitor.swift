// One simulated visitor from arrival to the end: signs in, queues, shops, pays. Decisions are in `Reactions` and
// `SeatChoice`; this carries them out.
import Challenges
import Foundation
import NIOCore
import NIOHTTP1
import Signing
import UsherAPI

/// What all visitors of a run share.
struct Sale: Sendable {
    var target: Target
    var address: SocketAddress
    var session: String
    var room: String
    var limitPerBuyer: Int
    /// Whether the room asked for work when the run began.
    var asksForWork = false
    var crowd: Crowd
    var runID: String
    var start: ContinuousClock.Instant
    var scoreboard: Scoreboard
    /// Only when the history is wanted.
    var recorder: SaleRecorder?
}

/// Owned by one task; not for sharing.
final class Visitor {
    let sale: Sale
    let index: Int
    let traits: Traits
    let connection: VisitorConnection
    var chance: SplitMix64
    var account: PreparedAccount?
    var step = Step.register
    var isInShop = false
    private let device: String
    private let decoder = JSONDecoder()
    private var place: String?
    private var pass: String?

    init(_ index: Int, of sale: Sale, account: PreparedAccount?, connection: VisitorConnection) {
        self.sale = sale
        self.index = index
        self.account = account
        self.connection = connection
        traits = Traits(of: index, in: sale.crowd)
        chance = SplitMix64(seed: sale.crowd.seed ^ UInt64(index) &* 0xd134_2543_de82_ef95)
        device = Self.randomHex(bytes: 16)
    }

    func visit() async -> Ending {
        let ending = await goThrough()
        if isInShop, !ending.isWithoutWord { await leave() }
        return ending
    }

    private func goThrough() async -> Ending {
        do throws(Departure) {
            if account == nil { try await register() }
            var queue = QueueState()
            try await join(&queue)
            while true {
                try await waitForPass(&queue)
                if let ending = try await shop() { return ending }
            }
        } catch {
            return error.ending
        }
    }

    // MARK: Signing in

    private func register() async throws(Departure) {
        let credentials = CredentialsRequest(
            email: "visitor-\(sale.runID)-\(index)@load.example",
            password: "load-\(device)"
        )
        let body = try encoded(credentials)
        _ = try await insist(.register, .post("/v1/auth/register", body))
        let tokens: TokensReply = try decoded(try await insist(.login, .post("/v1/auth/login", body)))
        account = PreparedAccount(account: tokens.account.id, token: tokens.accessToken)
    }

    // MARK: Queueing

    private struct QueueState {
        var mayBeCalled = false
        var after = Duration.zero
        var rounds = 0
    }

    private func join(_ queue: inout QueueState) async throws(Departure) {
        var answer = sale.asksForWork ? try await solveChallenge() : nil
        var sent = sale.start.duration(to: .now)
        var joining = try await askToJoin(answer)
        for _ in 0..<Self.solutionsMax where joining == nil {
            answer = try await solveChallenge()
            sent = sale.start.duration(to: .now)
            joining = try await askToJoin(answer)
        }
        guard let reply = joining else {
            throw Departure(ending: .refused(at: .join, code: "challenge_required"))
        }
        let joined: JoinReply = try decoded(reply)
        let answered = sale.start.duration(to: .now)
        sale.scoreboard.joined(JoinRecord(sent: sent, answered: answered, number: joined.place.number))
        place = joined.token
        queue.mayBeCalled = joined.place.state != .waiting
        queue.after = .seconds(joined.poll.afterS)
    }

    /// Nil when the room wants an answer to its challenge, or another one.
    private func askToJoin(_ answer: String?) async throws(Departure) -> Reply? {
        let request = Request.post(Path.room(sale.room, "join")).with(HeaderName.challenge, answer)
        let (reaction, reply) = try await ask(.join, request)
        if reaction == .solveAgain { return nil }
        if reaction == .goOn, let reply { return reply }
        throw Departure(ending: .refused(at: .join, code: "unexpected_answer"))
    }

    /// As the waiting page's script does; nil when nothing is asked for.
    private func solveChallenge() async throws(Departure) -> String? {
        let reply = try await insist(.challenge, .get(Path.room(sale.room, "challenge")))
        let asked: ChallengeReply = try decoded(reply)
        guard asked.kind != "off" else { return nil }
        guard let work = asked.pow, let prefix = Hex.decode(work.prefix), let target = Hex.decode(work.target),
            var solver = PuzzleSolver(prefix: prefix, target: target, limit: work.limit)
        else { throw Departure(ending: .refused(at: .challenge, code: "cannot_answer_\(asked.kind)")) }
        while true {
            switch solver.work() {
            case .solved(let number): return "\(work.token).\(number)"
            case .exhausted: throw Departure(ending: .refused(at: .challenge, code: "puzzle_without_solution"))
            // Others have polls to send meanwhile.
            case .going: await Task.yield()
            }
        }
    }

    /// Solutions of one visitor that came too late.
    static let solutionsMax = 5

    /// Polls as told until called, then claims until there is a pass.
    private func waitForPass(_ queue: inout QueueState) async throws(Departure) {
        queue.rounds += 1
        guard queue.rounds <= Self.passesMax else {
            throw Departure(ending: .refused(at: .claim, code: "passes_ended"))
        }
        while true {
            if queue.mayBeCalled {
                if traits.leavesAt == .called { throw Departure(ending: .abandoned(at: .called)) }
                let reply = try await insist(.claim, .post(Path.room(sale.room, "claim")))
                if reply.status == 200 {
                    let claimed: ClaimReply = try decoded(reply)
                    pass = claimed.pass.token
                    if !isInShop { sale.scoreboard.admitted(at: sale.start.duration(to: .now)) }
                    isInShop = true
                    return
                }
                let told: PlaceReply = try decoded(reply)
                queue.after = .seconds(told.poll.afterS)
            }
            try await wait(queue.after)
            let told: PlaceReply = try decoded(try await insist(.poll, .get(Path.room(sale.room, "place"))))
            guard told.outlook != "gone" else { throw Departure(ending: .toldSoldOut(at: .poll)) }
            if traits.leavesAt == .waiting { throw Departure(ending: .abandoned(at: .waiting)) }
            switch told.place.state {
            case .assigning, .waiting: queue.mayBeCalled = false
            case .called, .parked, .admitted: queue.mayBeCalled = true
            case .forfeited: throw Departure(ending: .refused(at: .poll, code: "place_forfeited"))
            }
            queue.after = .seconds(told.poll.afterS)
        }
    }

    /// How often a visitor goes back to the gateway for another pass.
    static let passesMax = 5

    /// Makes room for the next one, as the shop's page does when its visitor is done. Not scored: the pass may have
    /// ended by itself.
    private func leave() async {
        let request = Request.post(Path.room(sale.room, "leave"))
            .with(HeaderName.device, device)
            .with(HeaderName.place, place)
            .with(HeaderName.pass, pass)
        _ = try? await connection.send(request)
    }

    // MARK: Asking

    /// Repeats until the answer is a success; everything else ends the visit.
    func insist(_ step: Step, _ request: Request) async throws(Departure) -> Reply {
        let (reaction, reply) = try await ask(step, request)
        if reaction == .goOn, let reply { return reply }
        throw Departure(ending: .refused(at: step, code: "unexpected_answer"))
    }

    /// Sends, waits and repeats as `Reactions` says; returns what is left to decide.
    func ask(_ step: Step, _ request: Request) async throws(Departure) -> (Reaction, Reply?) {
        self.step = step
        var attempt = 0
        while true {
            let (answer, reply) = await send(step, request)
            let reaction = Reactions.reaction(to: answer, at: step, attempt: attempt)
            switch reaction {
            case .again(let after):
                attempt += 1
                try await wait(after)
            case .soldOut: throw Departure(ending: .toldSoldOut(at: step))
            case .refused(let code):
                if Task.isCancelled { throw Departure(ending: .unfinished(at: step)) }
                throw Departure(ending: .refused(at: step, code: code))
            case .goOn, .pickAgain, .wantFewer, .fewerFree, .claimAgain, .declined, .solveAgain:
                return (reaction, reply)
            }
        }
    }

    private func send(_ step: Step, _ request: Request) async -> (Answer, Reply?) {
        let request = request.with(HeaderName.device, device)
            .with(HeaderName.authorization, account.map { "Bearer \($0.token)" })
            .with(HeaderName.place, place)
            .with(HeaderName.pass, pass)
        let clock = ContinuousClock()
        let sent = clock.now
        var answer = Answer.lost
        var found: Reply?
        do throws(TransportFailure) {
            let reply = try await connection.send(request)
            renewTokens(from: reply)
            let problem = reply.status >= 400 ? try? decoder.decode(Problem.self, from: Data(reply.body)) : nil
            answer = .reply(status: reply.status, code: problem?.code, retryAfter: reply.retryAfter)
            found = reply
        } catch {
            connection.close()
        }
        sale.scoreboard.answered(step, after: sent.duration(to: clock.now), answer: answer)
        return (answer, found)
    }

    /// A fresh place or pass comes as a header or as a cookie.
    private func renewTokens(from reply: Reply) {
        if let fresh = reply.headers.first(name: HeaderName.place) { place = fresh }
        if let fresh = reply.headers.first(name: HeaderName.pass) { pass = fresh }
        for cookie in reply.headers["Set-Cookie"] {
            guard let pair = cookie.split(separator: ";").first, let equals = pair.firstIndex(of: "=") else { continue }
            let value = String(pair[pair.index(after: equals)...])
            guard !value.isEmpty else { continue }
            switch String(pair[..<equals]) {
            case CookieName.place(room: sale.room): place = value
            case CookieName.pass(room: sale.room): pass = value
            default: break
            }
        }
    }

    func wait(_ duration: Duration) async throws(Departure) {
        do {
            try await Task.sleep(for: max(duration, .milliseconds(20)))
        } catch {
            throw Departure(ending: .unfinished(at: step))
        }
    }

    /// Half to one and a half times the crowd's thinking time.
    func think() async throws(Departure) {
        guard sale.crowd.think > .zero else { return }
        try await wait(sale.crowd.think * Double.random(in: 0.5...1.5, using: &chance))
    }

    func decoded<Body: Decodable>(_ reply: Reply) throws(Departure) -> Body {
        do {
            return try decoder.decode(Body.self, from: Data(reply.body))
        } catch {
            throw Departure(ending: .refused(at: step, code: "unreadable_answer"))
        }
    }

    func encoded(_ body: some Encodable) throws(Departure) -> [UInt8] {
        do {
            return Array(try JSONEncoder().encode(body))
        } catch {
            throw Departure(ending: .refused(at: step, code: "unwritable_request"))
        }
    }

    static func randomHex(bytes: Int) -> String {
        (0..<bytes).map { _ in
            let byte = UInt8.random(in: 0 ... .max)
            return String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }.joined()
    }
}
