// What is the same for everybody: the room's numbers, signed, and the keys to check tokens with.
import EdgeHTTP
import NIOCore
import QueueTokens
import Queueing
import Signing
import UsherAPI

extension LoopRooms {
    /// Cacheable for a second; the tag is the time the numbers are from.
    func snapshot(_ request: EdgeRequest, room name: Substring) -> RoomAnswer {
        guard let room = room(name) else { return refuse(.notFound, request) }
        let tag = "\"\(room.snapshot.asOf.milliseconds)\""
        var headers: EdgeHeaders = [
            "Content-Type": RoomReply.json, "Cache-Control": "public, max-age=1", "ETag": tag,
        ]
        if request.first("If-None-Match") == tag { return .now(EdgeReply(status: 304, headers: headers)) }
        let sealed = sealed(room)
        if let signature = sealed.signature { headers.add("Usher-Signature", signature) }
        return .now(EdgeReply(status: 200, headers: headers, body: sealed.body))
    }

    /// The purpose that is signed before the body.
    static let snapshotPurpose = "usher/snapshot/v1"

    /// Body and `kid=…,sig=base64url(Ed25519)`, made once for each pull.
    private func sealed(_ room: RoomView) -> SealedSnapshot {
        let name = room.name.text
        if let known = sealedSnapshots[name], known.asOf == room.snapshot.asOf,
            known.isDegraded == room.snapshot.isDegraded
        {
            return known
        }
        let body = Array(room.publicBody.utf8)
        let signature = supplies.keys.places.detachedSignature(for: body, purpose: Self.snapshotPurpose)
        let sealed = SealedSnapshot(
            asOf: room.snapshot.asOf,
            isDegraded: room.snapshot.isDegraded,
            body: ByteBuffer(bytes: body),
            signature: signature.map { "kid=\($0.keyID),sig=\(Base64URL.encode($0.bytes))" }
        )
        sealedSnapshots[name] = sealed
        return sealed
    }

    func keySet() -> EdgeReply {
        var body = ByteBuffer()
        body.writeBytes(supplies.keys.jwks)
        return EdgeReply(
            status: 200,
            contentType: "application/jwk-set+json",
            cacheControl: "public, max-age=300",
            body: body
        )
    }
}

struct SealedSnapshot {
    var asOf: Moment
    var isDegraded: Bool
    var body: ByteBuffer
    var signature: String?
}

extension RoomView {
    /// The numbers of the room, without anything about a single place.
    var publicBody: String {
        let policy = snapshot.policy
        var text = #"{"room":"\#(name.text)","phase":"\#(snapshot.phase.rawValue)""#
        text += #","policy":{"method":"\#(policy.order.rawValue)","version":\#(snapshot.version)"#
        text += #","hash":"\#(snapshot.policyHash)"},"epoch":\#(snapshot.epoch),"last_number":\#(snapshot.lastNumber)"#
        text += #","serving":{"cursor":\#(snapshot.cursor),"per_minute":\#(Int(snapshot.ratePerMinute.rounded()))}"#
        text += #","is_paused":\#(snapshot.isPaused),"outlook":"\#(snapshot.outlook.name)","message":"#
        text += policy.message.map { String(decoding: JSONText.quoted($0), as: UTF8.self) } ?? "null"
        if snapshot.isDegraded { text += #","degraded":true"# }
        return text + #","as_of":"\#(snapshot.asOf.rfc3339)"}"#
    }
}

extension LoopRooms {
    package func notice(of name: String) -> RoomNotice {
        guard let room = view.rooms[name] else { return RoomNotice(.closed) }
        let snapshot = room.snapshot
        return RoomNotice(
            Self.condition(of: snapshot),
            challenge: Self.challenge(of: snapshot),
            message: snapshot.policy.message,
            phase: snapshot.phase.rawValue,
            isForAccounts: snapshot.policy.identity == .account
        )
    }

    private static func challenge(of room: RoomSnapshot) -> RoomNotice.Challenge {
        switch room.policy.challenge {
        case .off: .off
        case .pow: .pow
        case .captcha: .captcha
        case .attestation: .attestation
        }
    }

    private static func condition(of room: RoomSnapshot) -> RoomNotice.Condition {
        guard room.outlook != .gone else { return .soldOut }
        guard room.override != .reject else { return .closed }
        switch room.phase {
        case .draft, .scheduled: return .notYetOpen
        case .draining, .closed: return .closed
        case .prequeue, .sealed, .drawn, .active: return room.isPaused ? .paused : .open
        }
    }
}
