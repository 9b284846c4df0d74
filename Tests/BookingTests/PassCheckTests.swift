import HTTPTypes
import Hummingbird
import NIOCore
import Ordering
import QueueTokens
import Synchronization
import Testing
import UsherAPI

@testable import BookingServer

@Suite struct PassCheckTests {
    private static let session = Session(
        id: SessionID(high: 1, low: 1),
        show: ShowID(high: 1, low: 2),
        title: "",
        startsAt: Moment(milliseconds: 0),
        state: .onSale,
        room: "hall",
        limitPerBuyer: 4,
        currency: "EUR",
        payWindow: .seconds(1),
        epoch: 1
    )

    private static func request(_ keys: KeyRing, room: String = "hall") throws -> Request {
        let pass = PassToken(
            room: room,
            passID: "pas_1",
            subject: "plc_1",
            place: 1,
            endsAt: 900,
            generation: 1,
            issuedAt: 100,
            expiresAt: 200
        )
        var head = HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/")
        head.headerFields[.usherPass] = try keys.sign(pass)
        return Request(head: head, body: RequestBody(buffer: ByteBuffer()))
    }

    private static func pass(of request: Request, by check: PassCheck) throws -> String? {
        try check.pass(of: request, for: session, by: AccountID(high: 1, low: 3))
    }

    @Test func `a pass is good as long as the keys that signed it`() throws {
        let (old, new) = (try KeyRing.ephemeral(.pass), try KeyRing.ephemeral(.pass))
        let check = PassCheck(clock: Clock { Moment(milliseconds: 150_000) })
        let request = try Self.request(old)
        #expect(throws: Refusal.self) { try Self.pass(of: request, by: check) }
        check.use(old.keys)
        for _ in 0..<2 { #expect(try Self.pass(of: request, by: check) == "pas_1") }
        check.use(new.keys.union(old.keys))
        #expect(try Self.pass(of: request, by: check) == "pas_1")
        check.use(new.keys)
        #expect(throws: Refusal.self) { try Self.pass(of: request, by: check) }
        check.use(old.keys)
        #expect(try Self.pass(of: request, by: check) == "pas_1")
    }

    @Test func `a pass known already is still refused for another room and when it is over`() throws {
        let keys = try KeyRing.ephemeral(.pass)
        let seconds = Mutex(Int64(150))
        let check = PassCheck(clock: Clock { Moment(milliseconds: seconds.withLock { $0 } * 1000) })
        check.use(keys.keys)
        let (request, elsewhere) = (try Self.request(keys), try Self.request(keys, room: "arena"))
        #expect(try Self.pass(of: request, by: check) == "pas_1")
        #expect(throws: Refusal.self) { try Self.pass(of: elsewhere, by: check) }
        seconds.withLock { $0 = 200 }
        let failure = #expect(throws: Refusal.self) { try Self.pass(of: request, by: check) }
        #expect(failure?.problem.code == .passExpired)
    }
}
