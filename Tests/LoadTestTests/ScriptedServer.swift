// A tiny shop behind a tiny waiting room, in memory, on a port of its own: what visitors need to be tested against.
// It can misbehave in the ways the load test must notice.
import Challenges
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Signing
import Synchronization
import Testing

struct Misbehaviour: Sendable {
    /// The first request to each path of each visitor is cut off after it was carried out.
    var cutsConnections = false
    /// Every third request is answered 503 with `Retry-After: 0`.
    var isOverloaded = false
    var countsDown = false
    var sellsTwice = false
    var failsHolds = false
    var neverCalls = false
    /// A join needs the solution of a puzzle. No misbehaviour, but one way of a room.
    var asksForWork = false
}

final class ScriptedSale: Sendable {
    struct Answer: Sendable {
        var status: Int
        var body: String
        var headers: [(String, String)] = []
        /// Closes without a word.
        var isCut = false
    }

    struct Seen: Sendable {
        var requests = 0
        var addresses: Set<String> = []
        var numbers: [String: Int] = [:]
        var devicesOfAddresses: [String: Set<String>] = [:]
        var cut: Set<String> = []
        var free: [String] = []
        var holds: [String: [String]] = [:]
        var orders: [String: (buyer: String, seats: [String], paid: Bool, declined: Bool)] = [:]
        var answersByKey: [String: Answer] = [:]
        var registered: Set<String> = []
        var solved = 0
    }

    let misbehaviour: Misbehaviour
    private let state: Mutex<Seen>

    init(seats: Int, _ misbehaviour: Misbehaviour = Misbehaviour()) {
        self.misbehaviour = misbehaviour
        state = Mutex(Seen(free: (1...seats).map { "A-1-\($0)" }))
    }

    var seen: Seen { state.withLock { $0 } }

    func answer(_ head: HTTPRequestHead, _ body: [UInt8], from address: String) -> Answer {
        state.withLock { seen in
            seen.requests += 1
            seen.addresses.insert(address)
            let device = head.headers.first(name: "Usher-Device") ?? ""
            if !device.isEmpty { seen.devicesOfAddresses[address, default: []].insert(device) }
            if misbehaviour.isOverloaded, seen.requests.isMultiple(of: 3) {
                return problem(503, "overloaded", [("Retry-After", "0")])
            }
            let key = head.headers.first(name: "Idempotency-Key").map { "\(device) \($0)" }
            var answer: Answer
            if let key, let kept = seen.answersByKey[key] {
                answer = kept
            } else {
                let json = (try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any] ?? [:]
                answer = route(head, json, device, &seen)
                if let key, answer.status < 500 { seen.answersByKey[key] = answer }
            }
            if misbehaviour.cutsConnections, seen.cut.insert("\(device) \(head.method) \(head.uri)").inserted {
                answer.isCut = true
            }
            return answer
        }
    }

    private func route(_ head: HTTPRequestHead, _ json: [String: Any], _ device: String, _ seen: inout Seen) -> Answer {
        let path = head.uri.split(separator: "/").map(String.init)
        switch (head.method, path.last ?? "") {
        case (.POST, "register"):
            let isNew = seen.registered.insert(json["email"] as? String ?? "").inserted
            return isNew ? ok(201, tokens) : problem(409, "email_taken")
        case (.POST, "login"): return ok(200, tokens)
        case (.GET, "challenge"): return challenge(device)
        case (.POST, "join"):
            if misbehaviour.asksForWork, seen.numbers[device] == nil {
                let answer = head.headers.first(name: "Usher-Challenge")
                guard isSolved(answer, device) else { return problem(403, "challenge_required") }
                seen.solved += 1
            }
            return join(device, &seen)
        case (.GET, "place"): return place(head, seen)
        case (.POST, "claim"): return claim(head, seen)
        case (.GET, "seats"):
            guard head.headers.contains(name: "Usher-Pass") else { return problem(403, "pass_required") }
            return ok(200, seatMap(seen.free))
        case (.POST, "holds"):
            if let seats = json["seats"] as? [String] { return hold(seats, &seen) }
            let quantity = (json["best"] as? [String: Any])?["quantity"] as? Int ?? 0
            guard quantity > 0, seen.free.count >= quantity else { return problem(409, "not_enough_seats") }
            return hold(Array(seen.free.prefix(quantity)), &seen)
        case (.POST, "orders"): return order(json["hold_id"] as? String ?? "", device, &seen)
        case (.POST, "payments"): return pay(path[2], json["payment_method"] as? String, &seen)
        case (.GET, "tickets?limit=50"): return ok(200, tickets(of: device, seen))
        case (.GET, _) where path.contains("orders"): return ok(200, orderBody(path[2], seen))
        default: return problem(404, "not_found")
        }
    }

    private static let key = ChallengeKey(secret: [1], room: "arena", generation: 1)

    private func challenge(_ device: String) -> Answer {
        let scope = ChallengeScope(room: "arena", dedupeTag: Array(device.utf8))
        let entropy = (0..<Puzzle.entropyLength).map { _ in UInt8.random(in: 0 ... .max) }
        let puzzle = Puzzle(for: scope, limit: 999, atMS: 0, entropy: entropy, key: Self.key)
        let work =
            #"{"algorithm":"SHA-256","prefix":"\#(Hex.encode(puzzle.prefix))","target":"\#(Hex.encode(puzzle.target))""#
            + #","limit":\#(puzzle.limit),"token":"\#(puzzle.text)","expires_at":""}"#
        return ok(200, #"{"room":"arena","kind":"pow","pow":\#(work)}"#)
    }

    private func isSolved(_ answer: String?, _ device: String) -> Bool {
        let scope = ChallengeScope(room: "arena", dedupeTag: Array(device.utf8))
        return (try? ChallengeAnswer.check(answer ?? "", for: scope, key: Self.key, atMS: 1)) != nil
    }

    private func join(_ device: String, _ seen: inout Seen) -> Answer {
        let known = seen.numbers[device]
        let number = known ?? (misbehaviour.countsDown ? 1_000_000 - seen.numbers.count : seen.numbers.count + 1)
        seen.numbers[device] = number
        let place = #"{"number":\#(number),"rank":\#(number),"state":"waiting","ahead":0}"#
        let receipt = #"{"index":\#(number - 1),"arrived_at_ms":0,"entry":""}"#
        let start = #"{"room":"arena","token":"place-\#(number)","place":\#(place),"receipt":\#(receipt)"#
        let body = start + #","poll":{"after_s":0.02},"as_of":""}"#
        return ok(known == nil ? 201 : 200, body)
    }

    private func place(_ head: HTTPRequestHead, _ seen: Seen) -> Answer {
        guard head.headers.first(name: "Usher-Place")?.hasPrefix("place-") == true else {
            return problem(401, "token_invalid")
        }
        return ok(200, placeBody(seen))
    }

    private func claim(_ head: HTTPRequestHead, _ seen: Seen) -> Answer {
        if isSoldOut(seen) { return problem(410, "sold_out") }
        guard let token = head.headers.first(name: "Usher-Place") else { return problem(401, "token_invalid") }
        let pass = #"{"token":"pass-\#(token)","id":"pas_1","expires_at":"","ends_at":""}"#
        return ok(200, #"{"room":"arena","pass":\#(pass)}"#)
    }

    private func isSoldOut(_ seen: Seen) -> Bool {
        seen.free.isEmpty && seen.holds.isEmpty && seen.orders.values.allSatisfy(\.paid)
    }

    private func hold(_ seats: [String], _ seen: inout Seen) -> Answer {
        if misbehaviour.failsHolds { return problem(500, "internal_error") }
        guard seats.allSatisfy(seen.free.contains) else { return problem(409, "seat_taken") }
        if !misbehaviour.sellsTwice { seen.free.removeAll(where: seats.contains) }
        let id = "hld_\(seen.requests)"
        seen.holds[id] = seats
        let list = seats.map { "\"\($0)\"" }.joined(separator: ",")
        let rest = #""groups":[[\#(list)]],"adjacent":true,"state":"active","expires_at":"","seconds_left":300"#
        return ok(201, #"{"id":"\#(id)","session_id":"ses_1","seats":[\#(list)],\#(rest)}"#)
    }

    private func order(_ hold: String, _ device: String, _ seen: inout Seen) -> Answer {
        guard let seats = seen.holds.removeValue(forKey: hold) else { return problem(410, "hold_lost") }
        let id = "ord_\(seen.requests)"
        seen.orders[id] = (device, seats, false, false)
        return ok(201, orderBody(id, seen))
    }

    private func pay(_ order: String, _ card: String?, _ seen: inout Seen) -> Answer {
        guard seen.orders[order] != nil else { return problem(404, "not_found") }
        guard card == "pm_card_visa" else {
            seen.orders[order]?.declined = true
            return problem(402, "payment_declined")
        }
        seen.orders[order]?.paid = true
        return ok(202, orderBody(order, seen))
    }
}

// MARK: Bodies

extension ScriptedSale {
    private func ok(_ status: Int, _ body: String) -> Answer { Answer(status: status, body: body) }

    private func problem(_ status: Int, _ code: String, _ headers: [(String, String)] = []) -> Answer {
        let rest = #""title":"","retryable":false"#
        let body = #"{"type":"/problems/\#(code)","status":\#(status),"code":"\#(code)",\#(rest)}"#
        return Answer(status: status, body: body, headers: headers)
    }

    private var tokens: String {
        let account = #"{"id":"usr_1","email":"a@b","role":"buyer"}"#
        let rest = #""token_type":"Bearer","expires_in":900,"refresh_token":"r""#
        return #"{"account":\#(account),"access_token":"t",\#(rest)}"#
    }

    private func placeBody(_ seen: Seen) -> String {
        let state = misbehaviour.neverCalls ? "waiting" : "called"
        let outlook = isSoldOut(seen) ? "gone" : "open"
        return #"{"room":"arena","phase":"active","policy":{"method":"first_come","version":1,"hash":"h"},"#
            + #""place":{"number":1,"rank":1,"state":"\#(state)","ahead":0},"eta":{},"#
            + #""serving":{"cursor":1,"per_minute":60},"claim":{},"outlook":"\#(outlook)","#
            + #""poll":{"after_s":0.02},"as_of":""}"#
    }

    private func seatMap(_ free: [String]) -> String {
        let count = 30
        let letters = (1...count).map { free.contains("A-1-\($0)") ? "F" : "S" }.joined()
        let price = #"{"amount_minor":5000,"currency":"EUR"}"#
        let row = #"{"label":"1","seats":"\#(letters)","first":1}"#
        let section = #"{"name":"A","area":"Stalls","price":\#(price),"kind":"seats","free":0,"rows":[\#(row)]}"#
        let rest = #""free":\#(free.count),"version":"1-1","as_of":"""#
        return #"{"session_id":"ses_1","sections":[\#(section)],\#(rest)}"#
    }

    private func orderBody(_ id: String, _ seen: Seen) -> String {
        guard let order = seen.orders[id] else { return "{}" }
        let money = #"{"amount_minor":5000,"currency":"EUR"}"#
        let seats = order.seats.map { #"{"seat":"\#($0)","area":"Stalls","price":\#(money)}"# }.joined(separator: ",")
        return #"{"id":"\#(id)","state":"\#(order.paid ? "paid" : "pending")","show":{"id":"s","title":"t"},"#
            + #""session":{"id":"s","title":"t","starts_at":""},"seats":[\#(seats)],"total":\#(money),"#
            + #""created_at":"","pay_by":"","seconds_left":20,"tickets":[]}"#
    }

    private func tickets(of device: String, _ seen: Seen) -> String {
        let mine = seen.orders.filter { $0.value.buyer == device && $0.value.paid }
        let tickets = mine.flatMap { id, order in
            order.seats.map { seat in
                #"{"id":"tkt_\#(seat)","order_id":"\#(id)","session_id":"ses_1","seat":"\#(seat)","#
                    + #""number":"AAAA","state":"valid","code":"X"}"#
            }
        }
        return #"{"data":[\#(tickets.joined(separator: ","))]}"#
    }
}

// MARK: Socket

final class ScriptedHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let sale: ScriptedSale
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []

    init(_ sale: ScriptedSale) { self.sale = sale }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = []
        case .body(let buffer): body.append(contentsOf: buffer.readableBytesView)
        case .end:
            guard let head else { return }
            let address = context.remoteAddress?.ipAddress ?? ""
            let answer = sale.answer(head, body, from: address)
            guard !answer.isCut else { return context.close(promise: nil) }
            let headers = HTTPHeaders(answer.headers + [("Content-Length", String(answer.body.utf8.count))])
            let status = HTTPResponseStatus(statusCode: answer.status)
            let reply = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
            context.write(wrapOutboundOut(.head(reply)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: answer.body)))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}

func withServer<Outcome>(_ sale: ScriptedSale, _ body: (Int) async throws -> Outcome) async throws -> Outcome {
    let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .serverChannelOption(.backlog, value: 256)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                try channel.pipeline.syncOperations.addHandler(ScriptedHandler(sale))
            }
        }
        .bind(host: "127.0.0.1", port: 0).get()
    let port = try #require(server.localAddress?.port)
    do {
        let outcome = try await body(port)
        try await server.close()
        return outcome
    } catch {
        try await server.close()
        throw error
    }
}
