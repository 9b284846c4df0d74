import BookingDatabase
import Ordering
import Postgres
import TestSupport
import Testing

@Suite struct CatalogueTests {
    @Test func `shows, sessions and layouts read back as they were written`() async throws {
        try await withBooking { (booking) async throws in
            let show = try #require(try await booking.catalogue.shows().first)
            #expect(show.title == "Hamlet" && show.venue == "Globe" && show.description == "A play")
            #expect(try await booking.catalogue.sessions() == [Booking.session(booking.session, of: show.id)])
            #expect(try await booking.catalogue.layout(of: booking.session) == Booking.layout)
            #expect(try await booking.count("SELECT count(*) FROM session_seat") == Booking.seatCount)
            let last = """
                SELECT count(*) FROM session_seat WHERE seat_no = 399 AND section = 'MAIN' AND row_label = '17'
                    AND number = '120' AND area = 'main'
                """
            #expect(try await booking.count(last) == 1)
        }
    }

    @Test func `room, pay window and state change`() async throws {
        try await withBooking { (booking) async throws in
            try await booking.catalogue.setRoom(nil, of: booking.session)
            try await booking.catalogue.setPayWindow(.seconds(20), of: booking.session)
            try await booking.catalogue.setState(.paused, of: booking.session)
            let session = try #require(try await booking.catalogue.sessions().first)
            #expect(session.room == nil && session.payWindow == .seconds(20) && session.state == .paused)
        }
    }

    @Test func `a show that fails half-way is not there at all`() async throws {
        try await withBooking { (booking) async throws in
            let show = Show(id: .fresh(), title: "Twice", description: "", venue: "")
            let session = NewSession(session: Booking.session(.fresh(), of: show.id), layout: Booking.layout)
            await #expect(throws: StoreFailure.self) {
                try await booking.catalogue.insert(show, sessions: [session, session])
            }
            #expect(try await booking.catalogue.shows().count == 1)
        }
    }

    @Test func `a rebuild raises the epoch and reads every claim`() async throws {
        try await withBooking { (booking) async throws in
            let (pending, sold) = (try await booking.create([7]), try await booking.buy([8, 9]))
            try await booking.run(
                "INSERT INTO seat_claim (session_id, seat_no, state) SELECT id, 20, 'blocked' FROM session"
            )
            for epoch in 2...3 {
                let inventory = try await booking.catalogue.beginRebuild(of: booking.session)
                #expect(inventory.epoch == epoch)
                #expect(inventory.layout == Booking.layout)
                #expect(inventory.claims.map(\.seat) == [7, 8, 9, 20])
                #expect(inventory.claims.map(\.state) == [.pending, .sold, .sold, .blocked])
                #expect(inventory.claims.map(\.order) == [pending.id, sold.id, sold.id, nil])
                #expect(inventory.claims.map(\.account) == [pending.account, sold.account, sold.account, nil])
                #expect(inventory.claims.map(\.deadline) == [pending.deadline, nil, nil, nil])
            }
            await #expect(throws: StoreFailure.self) { try await booking.catalogue.beginRebuild(of: .fresh()) }
        }
    }

    @Test func `a lease belongs to one owner until it ends`() async throws {
        try await withBooking { (booking) async throws in
            let catalogue = booking.catalogue
            #expect(try await catalogue.lease("sweep", owner: "a", lasting: .seconds(60)))
            #expect(try await !catalogue.lease("sweep", owner: "b", lasting: .seconds(60)))
            #expect(try await catalogue.lease("other", owner: "b", lasting: .seconds(60)))
            #expect(try await catalogue.lease("sweep", owner: "a", lasting: .zero))
            #expect(try await catalogue.lease("sweep", owner: "b", lasting: .seconds(60)))
            #expect(try await !catalogue.lease("sweep", owner: "a", lasting: .seconds(60)))
        }
    }
}
