// Whether a request may enter: the pass is checked by its tag, against the generation and the revocations, without a store.
package import EdgeHTTP
import NIOCore
import QueueTokens
import Queueing
import Operations
import UsherAPI

extension LoopRooms {
    package func protectedRoom(forPath path: Substring) -> String? {
        guard !view.protecting.isEmpty else { return nil }
        guard let name = protecting(path), let room = view.rooms[name] else { return nil }
        return room.snapshot.override.letsEveryoneThrough(at: view.now()) ? nil : name
    }

    private func protecting(_ path: Substring) -> String? {
        // Booking reads paths decoded; so must the check be. A path that cannot be decoded protects nothing there.
        guard path.utf8.contains(where: { $0 == UInt8(ascii: "%") || (0x41...0x5A).contains($0) }) else {
            return RoomsView.session(ofPath: path).flatMap { view.protecting[String($0)] }
        }
        guard let plain = FormFields.decoded(path, plusIsSpace: false)?.lowercased() else { return nil }
        return RoomsView.session(ofPath: plain[...]).flatMap { view.protecting[String($0)] }
    }

    package func passVerdict(
        for head: EdgeRequestHead,
        from address: ClientAddress,
        room name: String
    ) -> PassVerdict {
        guard let room = view.rooms[name] else { return .refused(.passRequired) }
        guard room.snapshot.override != .reject else { return .refused(.roomClosed) }
        switch pass(in: head, of: room) {
        case .refused(let code): return .refused(code)
        case .stale: return .refused(.passStepUp)
        case .good(let pass, let text):
            if let code = refusal(ofSharing: pass, from: address, room) { return .refused(code) }
            let granted = GrantedPass(room: name, id: pass.passID, token: String(text))
            return renewalDue(pass, room, isSecure: head.isSecure).map { .renewing(granted, $0) } ?? .granted(granted)
        }
    }

    enum ShownPass {
        case good(PassToken, Substring)
        /// The pass lives, and this token of it is dead: the place gets another one.
        case stale(PassToken)
        case refused(ProblemCode)
    }

    func pass(in head: EdgeRequestHead, of room: RoomView) -> ShownPass {
        guard let text = head.first(HeaderName.pass)?[...] ?? head.cookie(room.passCookie(isSecure: head.isSecure)),
            !text.isEmpty
        else {
            return .refused(.passRequired)
        }
        let now = WallClock.now().seconds
        var bytes = text
        let outcome: Result<PassToken, TokenFlaw> = bytes.withUTF8 { bytes in
            Result { () throws(TokenFlaw) -> PassToken in
                try supplies.keys.passes.verifyTag(
                    ofPass: UnsafeRawBufferPointer(bytes),
                    room: room.name.text,
                    at: now
                )
            }
        }
        switch outcome {
        case .success(let pass):
            let goodFrom = goodFrom(pass.passID, in: room)
            let isAlive =
                pass.generation == Int64(room.snapshot.generation) && now < pass.endsAt
                && !hasEnded(pass.passID, in: room)
            guard isAlive else { return .refused(goodFrom == 0 ? .passShared : .passExpired) }
            guard let goodFrom else { return .good(pass, text) }
            if goodFrom == 0 { return .refused(.passShared) }
            return pass.issuedAt < goodFrom ? .stale(pass) : .good(pass, text)
        case .failure(let flaw):
            supplies.counters.badTokens.increment()
            return .refused(flaw == .expired ? .passExpired : .tokenInvalid)
        }
    }

    // MARK: Renewal

    /// A fresh pass when more than half of the idle time is used, or when booking has extended this one.
    private func renewalDue(
        _ pass: PassToken,
        _ room: RoomView,
        isSecure: Bool
    ) -> EventLoopFuture<GrantedPass.Renewed?>? {
        let expiry = Moment(seconds: pass.expiresAt)
        let known = renewal(of: pass.passID)
        let idle = Duration.seconds(room.snapshot.policy.passIdleSeconds)
        let now = view.now()
        if let known, known > expiry, known - now > idle / 2 || pass.expiresAt >= pass.endsAt {
            return loop.makeSucceededFuture(freshPass(pass, until: known, room, isSecure))
        }
        guard expiry - now < idle / 2, pass.expiresAt < pass.endsAt, !room.snapshot.isDegraded else { return nil }
        // Whole seconds, as the token has no others.
        let wanted = (now + idle).milliseconds / 1000 * 1000
        let promise = loop.makePromise(of: GrantedPass.Renewed?.self)
        renewals(of: room).renew(pass, until: wanted, reason: "use").assumeIsolated().whenComplete { result in
            let until = (try? result.get()) ?? nil
            promise.succeed(
                until.flatMap { until in
                    self.noteRenewal(pass.passID, until: until)
                    return until > expiry ? self.freshPass(pass, until: until, room, isSecure) : nil
                }
            )
        }
        return promise.futureResult
    }

    private func freshPass(
        _ pass: PassToken,
        until expiry: Moment,
        _ room: RoomView,
        _ isSecure: Bool
    ) -> GrantedPass.Renewed? {
        let now = WallClock.now().seconds
        var fresh = pass
        fresh.issuedAt = now
        fresh.expiresAt = min(expiry.seconds, pass.endsAt)
        fresh.tokenID = TokenID.random()
        guard let text = try? supplies.keys.passes.sign(fresh) else { return nil }
        supplies.counters.renewals.increment()
        let cookie = RoomReply.cookie(
            room.passCookie(isSecure: isSecure),
            text,
            maxAge: fresh.expiresAt - now,
            isSecure: isSecure
        )
        return GrantedPass.Renewed(token: text, cookie: cookie)
    }
}
