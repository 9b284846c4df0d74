// What a visitor is told who has joined, and how many are told at once.
import EdgeHTTP
import Fairness
import NIOCore
import Queueing

extension ByteWriter {
    /// Without the token.
    static let joinBytesMax = 640
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// The body of a join (`JoinReply`), written by hand: all of a crowd get it within seconds.
    mutating func putJoin(_ place: JoinedPlace, of tag: [UInt8], in room: RoomView, token: String) {
        let state = PlaceState(of: place, in: room)
        let estimate =
            place.rank == nil
            ? WaitEstimate(assigningIn: room.estimates)
            : WaitEstimate(ahead: state.ahead, room.estimates, at: room.asOf)
        put(#"{"room":""#)
        put(room.name.text)
        put(#"","token":""#)
        put(token)
        put(#"","place":{"number":"#)
        put(number: place.number)
        put(#","rank":"#)
        put(optional: place.rank)
        put(#","state":""#)
        put(state.name)
        put(#"","ahead":"#)
        put(optional: place.rank.map { _ in state.ahead })
        put(#"},"poll":{"after_s":"#)
        let chance = PollDelay.chance(number: place.number, asOf: room.asOf)
        let delay = PollDelay.tenths(p50Seconds: state.pollBase(estimate), chance: chance)
        put(number: delay / 10)
        put(".")
        put(number: delay % 10)
        put(#"},"receipt":{"index":"#)
        put(number: place.number - 1)
        put(#","arrived_at_ms":"#)
        put(number: UInt64(clamping: place.arrivedAt.milliseconds))
        put(#","entry":""#)
        if let entry = ArrivalEntry(dedupeTag: tag, milliseconds: place.arrivedAt.milliseconds) {
            put(base64: entry.bytes)
        }
        put(#""},"as_of":""#)
        put(room.asOfText)
        put(#""}"#)
    }

    /// RFC 4648 §4, of a number of bytes that needs no padding.
    private mutating func put(base64 bytes: [UInt8]) {
        precondition(bytes.count % 3 == 0, "three bytes make four characters")
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let (a, b, c) = (bytes[start], bytes[start + 1], bytes[start + 2])
            put(byte: Self.alphabet[Int(a >> 2)])
            put(byte: Self.alphabet[Int((a & 3) << 4 | b >> 4)])
            put(byte: Self.alphabet[Int((b & 15) << 2 | c >> 6)])
            put(byte: Self.alphabet[Int(c & 63)])
        }
    }
}

extension PlaceState {
    /// The store's cursor is newer than the snapshot's.
    fileprivate init(of place: JoinedPlace, in room: RoomView) {
        guard let rank = place.rank else {
            self = .assigning
            return
        }
        guard rank <= place.cursor else {
            self = .waiting(ahead: min(rank - place.cursor - 1, room.snapshot.ahead(of: rank)))
            return
        }
        // A place the store has called and the older snapshot has not.
        let state = room.state(ofRank: rank)
        if case .waiting = state { self = .called(deadline: nil) } else { self = state }
    }
}

/// A slice of joins is answered at once. Its replies are made some dozens at a time and then sent, as making one is a
/// signature and sending one a system call: in turn, each would find the caches full of the other, and whoever is at
/// the other end of many connections would be woken for every single reply.
final class JoinReplies {
    static let gatheredMax = 32
    /// Bodies of places, and no memory that a reply for many shares.
    static let spareBytes = 1024...4096

    private let loop: any EventLoop
    private typealias Made = (take: (EdgeReply) -> Void, reply: EdgeReply)
    private var gathered: [Made] = []
    /// What is being sent; empty at any other time. The two take turns, so that neither is made anew.
    private var sent: [Made] = []
    private var isDue = false
    /// Bodies that were sent, to be written again: a new one would be memory that no cache knows.
    private var spare: [ByteBuffer] = []

    init(loop: any EventLoop) {
        self.loop = loop
        gathered.reserveCapacity(Self.gatheredMax)
        sent.reserveCapacity(Self.gatheredMax)
    }

    /// An empty body for a reply that will be given here.
    func body() -> ByteBuffer { spare.popLast() ?? ByteBuffer() }

    /// Calls `take` before the loop turns to anything else.
    func give(_ reply: EdgeReply, to take: @escaping (EdgeReply) -> Void) {
        gathered.append((take, reply))
        if gathered.count >= Self.gatheredMax {
            send()
        } else if !isDue {
            isDue = true
            loop.assumeIsolated().execute {
                self.isDue = false
                self.send()
            }
        }
    }

    private func send() {
        guard sent.isEmpty else { return }
        while !gathered.isEmpty {
            swap(&gathered, &sent)
            for index in sent.indices {
                sent[index].take(sent[index].reply)
                takeBack(index)
            }
            sent.removeAll(keepingCapacity: true)
        }
    }

    private func takeBack(_ index: Int) {
        guard spare.count < Self.gatheredMax, Self.spareBytes.contains(sent[index].reply.body.storageCapacity) else {
            return
        }
        var body = ByteBuffer()
        swap(&body, &sent[index].reply.body)
        // Who still has it keeps it: cleared is what nobody else sees.
        body.clear()
        spare.append(body)
    }
}
