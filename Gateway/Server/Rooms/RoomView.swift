// A room as the handlers of one gateway use it: the snapshot and what can be prepared from it once for all visitors.
package import Challenges
import EdgeHTTP
import NIOCore
package import Queueing
package import Signing
import UsherAPI

/// A class, so that a handler takes hold of all of it with one reference.
package final class RoomView: Sendable {
    package let snapshot: RoomSnapshot
    // Of the snapshot, what every poll asks for: the whole is dear to pass on.
    let cursor: UInt64
    let lastNumber: UInt64
    let generation: Int64
    let nearFront: UInt64
    /// The time a place body speaks of: not the reader's clock, which differs from gateway to gateway.
    let asOf: Moment
    let estimates: WaitEstimate.Basis
    let passesGoodFrom: [String: Int64]
    /// Numbers whose place tokens from before a second are dead.
    let recovered: [UInt64: Int64]
    private let ranks: RoomRanks
    /// Whether every number is its rank.
    private let isInOrderOfArrival: Bool
    package let dedupe: KeyedBLAKE2b?
    private let plainCookies: Cookies
    private let secureCookies: Cookies
    /// Seals the challenges of this room, at every gateway alike.
    package let challengeKey: ChallengeKey
    /// What a join costs; nil in a room that asks for no work.
    package let effort: EffortLadder?

    /// The parts of a place body that are the same for everyone.
    let bodyStart: [UInt8]
    let bodyServing: [UInt8]
    let bodyOutlook: [UInt8]
    /// For waiting places the seats will hardly last for.
    let bodyUnlikely: [UInt8]
    let unlikelyBeyond: UInt64
    let bodyEnd: [UInt8]
    /// With the numbers between those parts.
    let bodyBytesMax: Int
    /// `asOf` as it is written.
    let asOfText: [UInt8]
    private static let numbersBytesMax = 512

    package init(_ snapshot: RoomSnapshot, ranks: RoomRanks = RoomRanks(), reusing old: RoomView? = nil) {
        self.snapshot = snapshot
        self.ranks = ranks
        isInOrderOfArrival = snapshot.policy.order == .firstCome && snapshot.policy.tieWindowMS == 0
        cursor = snapshot.cursor
        lastNumber = snapshot.lastNumber
        generation = Int64(snapshot.generation)
        nearFront = snapshot.nearFront
        asOf = snapshot.asOf
        estimates = WaitEstimate.Basis(snapshot)
        passesGoodFrom = snapshot.passesGoodFrom
        recovered = snapshot.recovered
        let room = snapshot.name.text
        plainCookies = old?.plainCookies ?? Cookies(room: room, isSecure: false)
        secureCookies = old?.secureCookies ?? Cookies(room: room, isSecure: true)
        if let old, old.snapshot.dedupeKey == snapshot.dedupeKey {
            dedupe = old.dedupe
        } else {
            dedupe = try? KeyedBLAKE2b(key: snapshot.dedupeKey)
        }
        if let old, old.snapshot.dedupeKey == snapshot.dedupeKey, old.snapshot.generation == snapshot.generation {
            challengeKey = old.challengeKey
        } else {
            challengeKey = ChallengeKey(secret: snapshot.dedupeKey, room: room, generation: snapshot.generation)
        }
        let policy = snapshot.policy
        effort = EffortLadder(policy.challenge)
        bodyStart = Array(
            (#"{"room":"\#(room)","phase":"\#(snapshot.phase.rawValue)","policy":{"method":"\#(policy.order.rawValue)""#
                + #","version":\#(snapshot.version),"hash":"\#(snapshot.policyHash)"},"place":{"number":"#).utf8
        )
        let rate = Int(snapshot.ratePerMinute.rounded())
        bodyServing = Array(
            #","serving":{"cursor":\#(snapshot.cursor),"per_minute":\#(rate)},"claim":{"deadline":"#.utf8
        )
        let outlook = snapshot.outlook.name(ofWaiting: nil)
        bodyOutlook = Array(#"},"outlook":"\#(outlook)","poll":{"after_s":"#.utf8)
        bodyUnlikely = Array(#"},"outlook":"unlikely","poll":{"after_s":"#.utf8)
        if case .unlikely(let beyond) = snapshot.outlook { unlikelyBeyond = beyond } else { unlikelyBeyond = .max }
        var end = Array(#"},"message":"#.utf8)
        end += policy.message.map(JSONText.quoted) ?? Array("null".utf8)
        if snapshot.isDegraded { end += Array(#","degraded":true"#.utf8) }
        var asOfText: [UInt8] = []
        snapshot.asOf.write(to: &asOfText)
        self.asOfText = asOfText
        end += Array(#","as_of":""#.utf8) + asOfText + Array(#""}"#.utf8)
        bodyEnd = end
        bodyBytesMax =
            Self.numbersBytesMax + bodyStart.count + bodyServing.count + bodyUnlikely.count + bodyEnd.count
    }

    package var name: RoomName { snapshot.name }

    /// The part of a place body that says what can be hoped for.
    func outlook(of state: PlaceState) -> [UInt8] {
        guard case .waiting(let ahead) = state, cursor &+ ahead >= unlikelyBeyond else { return bodyOutlook }
        return bodyUnlikely
    }

    /// The order of calling; nil while the number has none.
    func rank(of number: UInt64) -> UInt64? {
        isInOrderOfArrival ? number : ranks.rank(of: number, in: snapshot)
    }

    /// Where a place stands.
    func state(ofRank rank: UInt64?) -> PlaceState {
        guard let rank else { return .assigning }
        return snapshot.state(of: rank, at: asOf)
    }

    /// The same room, marked as seen for the last time.
    package func degraded() -> RoomView {
        guard !snapshot.isDegraded else { return self }
        var copy = snapshot
        copy.isDegraded = true
        return RoomView(copy, ranks: ranks, reusing: self)
    }

    /// The cookies' names on one scheme. A name of the other scheme counts for nothing: what came over a line that
    /// anybody can write on is not believed behind TLS.
    private struct Cookies: Sendable {
        let place: String
        let pass: String

        init(room: String, isSecure: Bool) {
            place = CookieName.place(room: room, isSecure: isSecure)
            pass = CookieName.pass(room: room, isSecure: isSecure)
        }
    }

    package func placeCookie(isSecure: Bool) -> String { isSecure ? secureCookies.place : plainCookies.place }
    package func passCookie(isSecure: Bool) -> String { isSecure ? secureCookies.pass : plainCookies.pass }

    /// Who somebody is in this room: 16 bytes that say nothing without the room's key.
    package func dedupeTag(device: String) -> [UInt8]? {
        dedupe?.tag(of: Array("device:\(device)".utf8), length: 16)
    }

    package func dedupeTag(account: String) -> [UInt8]? {
        dedupe?.tag(of: Array("account:\(account)".utf8), length: 16)
    }

    /// A person as an issuer of entry tickets names them: one place whatever the device.
    package func dedupeTag(person: String, issuer: String) -> [UInt8]? {
        dedupe?.tag(of: Array("person:\(issuer.utf8.count):\(issuer)\(person)".utf8), length: 16)
    }
}

extension ByteWriter {
    /// A place body (`PlaceReply`), written by hand: this is the answer most requests get. It is a function of the
    /// place and the snapshot alone, so that every gateway writes the same bytes.
    mutating func putPlace(_ number: UInt64, rank: UInt64?, _ state: PlaceState, in room: RoomView) {
        put(room.bodyStart)
        put(number: number)
        put(#","rank":"#)
        put(optional: rank)
        put(#","state":""#)
        put(state.name)
        put(#"","ahead":"#)
        put(optional: rank.map { _ in state.ahead })
        let asOf = room.asOf
        let estimate =
            rank == nil
            ? WaitEstimate(assigningIn: room.estimates)
            : WaitEstimate(ahead: state.ahead, room.estimates, at: asOf)
        let chance = PollDelay.chance(number: number, asOf: asOf)
        let poll = PollDelay.tenths(p50Seconds: state.pollBase(estimate), chance: chance)
        put(#"},"eta":{"p50_s":"#)
        put(optional: estimate.p50Seconds)
        put(#","p90_s":"#)
        put(optional: estimate.p90Seconds)
        put(#","reason":"#)
        if let reason = estimate.reason {
            put("\"")
            put(reason.rawValue)
            put("\"}")
        } else {
            put("null}")
        }
        put(room.bodyServing)
        put(optional: state.deadline)
        put(#","extensions_left":"#)
        put(optional: rank.flatMap { room.snapshot.extensionsLeft(rank: $0, in: state) })
        put(room.outlook(of: state))
        put(number: poll / 10)
        put(".")
        put(number: poll % 10)
        put(room.bodyEnd)
    }

    private mutating func put(optional number: Int?) {
        if let number { put(number: number) } else { put("null") }
    }

    mutating func put(optional number: UInt64?) {
        if let number { put(number: number) } else { put("null") }
    }

    private mutating func put(optional moment: Moment?) {
        guard let moment else {
            put("null")
            return
        }
        put("\"")
        put(moment.rfc3339)
        put("\"")
    }
}

extension PlaceState {
    /// The wait the next poll goes by: one that is called should claim soon, one that is over need not ask.
    func pollBase(_ estimate: WaitEstimate) -> Int? {
        switch self {
        // Nobody more is called: there is nothing to be told often.
        case .assigning: estimate.p50Seconds
        case .waiting: estimate.reason == .soldOut ? 1200 : estimate.p50Seconds
        case .called, .parked, .admitted: 0
        case .forfeited: 1200
        }
    }
}
