// What visitors do when they are called, and inside.
import Queueing

extension Simulation {
    /// One step of the leader: windows that ended, then whom the controller calls.
    mutating func lead(at now: Int64) {
        let moment = Moment(milliseconds: now)
        let decided = ledger.decidedThrough
        let forfeited = ledger.forfeitedThrough
        let tally = ledger.settle(policy.claim, at: moment)
        each(from: decided, through: ledger.decidedThrough) { simulation, member in
            simulation.live(.windowEnded, member)
        }
        each(from: forfeited, through: ledger.forfeitedThrough) { simulation, member in
            simulation.live(.graceEnded, member)
        }
        let input = AdmissionController.Input(
            admission: policy.admission,
            isCalling: phase.callsPeople,
            cursor: ledger.cursor,
            lastNumber: UInt64(order.joined),
            livePasses: livePasses,
            undecided: tally.undecided,
            turnedUp: ledger.turnedUp.count,
            decidedCalls: tally.decidedCalls,
            decidedClaims: tally.decidedClaims,
            granted: figures.admitted,
            health: health(at: now),
            expectsHealth: stock.isLimited || scenario.strain != nil
        )
        let wanted = min(controller.step(input, at: moment), order.rankedThrough)
        look(controller.outlook(of: input, last: input.lastNumber), at: now)
        if wanted > ledger.cursor { call(through: wanted, at: now) }
        score.observe(cursor: ledger.cursor, last: UInt64(order.joined), estimates(at: moment), at: moment)
    }

    private mutating func each(from: UInt64, through: UInt64, _ change: (inout Simulation, Int) -> Void) {
        guard through > from else { return }
        for rank in Int(from)..<Int(through) { change(&self, Int(order.memberOfRank[rank])) }
    }

    private func health(at now: Int64) -> AdmissionHealth? {
        guard stock.isLimited || scenario.strain != nil else { return nil }
        let isStrained = scenario.strain?.contains(Double(now - opening) / 1000) ?? false
        return AdmissionHealth(
            seatsLeft: stock.left,
            seatsFree: stock.free,
            holdP99MS: isStrained ? 2 * AdmissionHealth.holdP99MSMax : 1,
            receivedAt: Moment(milliseconds: now)
        )
    }

    private mutating func look(_ fresh: RoomSnapshot.Outlook, at now: Int64) {
        outlook = fresh
        if case .unlikely(let beyond) = fresh {
            unlikelyFrom = min(unlikelyFrom, beyond)
            if figures.unlikelyAtMS == nil { figures.unlikelyAtMS = now - opening }
        }
        if fresh == .gone, figures.soldOutAtMS == nil {
            figures.soldOutAtMS = now - opening
            figures.waitingAtSoldOut = order.joined - Int(ledger.cursor)
        }
    }

    /// What everybody is told of the waits, as a gateway would tell it.
    private func estimates(at now: Moment) -> WaitEstimate.Basis {
        var told = policy
        told.schedule = times.schedule
        return WaitEstimate.Basis(
            phase: phase,
            policy: told,
            rate: controller.rate,
            outlook: outlook,
            isPaused: false
        )
    }

    private mutating func call(through wanted: UInt64, at now: Int64) {
        var present = 0
        for rank in ledger.cursor..<wanted {
            let index = Int(order.memberOfRank[Int(rank)])
            let member = crowd.members[index]
            live(.wasCalled, index)
            if rank >= unlikelyFrom { figures.calledThoughUnlikely += 1 }
            let gaveUp = now - opening - Int64(member.arrivalMS) > Int64(member.patienceMS)
            if gaveUp {
                figures.gaveUp += 1
                continue
            }
            if member.traits.contains(.isPresent) { present += 1 }
            if member.traits.contains(.shows) {
                events.add(.claim, index, at: now + reaction(member))
            } else if member.traits.contains(.isLate), policy.claim.graceSeconds > 0 {
                let grace = Double(policy.claim.graceSeconds) * 0.9 * chance.share()
                let late = Int64((Double(policy.claim.windowSeconds) + grace) * 1000)
                events.add(.claim, index, at: now + late)
            }
        }
        figures.call(Int(wanted - ledger.cursor), at: now - opening)
        ledger.advance(to: wanted, last: order.rankedThrough, present: present, at: Moment(milliseconds: now))
    }

    /// Until the next poll of somebody at the front, who is told to ask every two seconds.
    private mutating func reaction(_ member: Member) -> Int64 {
        guard !member.traits.contains(.isBot) else { return Self.botReactionMS }
        return Int64(Double(pollInterval()) * chance.share()) + 1
    }

    private mutating func pollInterval() -> Int64 {
        Int64(PollDelay.tenths(p50Seconds: 0, chance: chance.share())) * 100
    }

    mutating func claim(_ member: Int, at now: Int64) {
        guard !lives[member].isOver else { return }
        let answer = ledger.claim(
            UInt64(order.rankOfMember[member]),
            in: CallLedger.Room(
                phase: phase,
                isSoldOut: outlook == .gone,
                admission: policy.admission,
                window: policy.claim
            ),
            holding: .nothing,
            livePasses: livePasses,
            pace: &pace,
            atMicroseconds: now * 1000
        )
        switch answer {
        case .granted: admit(member, at: now)
        case .notNow(let reason, let milliseconds):
            live(.foundNoRoom, member)
            figures.claimsPutOff += 1
            if reason == .cap { figures.claimsPutOffByCap += 1 }
            // The answer says when to ask again, as a poll does.
            events.add(.claim, member, at: now + max(milliseconds, pollInterval()))
        case .never(.soldOut):
            live(.gaveUp, member)
            figures.refusedSoldOut += 1
        case .never: break
        }
    }

    private mutating func admit(_ index: Int, at now: Int64) {
        let member = crowd.members[index]
        if lives[index] == .parked { figures.claimedLate += 1 }
        live(.wasGranted, index)
        livePasses += 1
        figures.admit(index, waited: now - opening - max(0, Int64(member.arrivalMS)), at: now - opening)
        let lifetime = Int64(policy.passLifetimeSeconds) * 1000
        let think = Int64(member.thinkMS)
        guard member.traits.contains(.buys) else {
            events.add(.end, index, at: now + min(think + Int64(policy.passIdleSeconds) * 1000, lifetime))
            return
        }
        events.add(.hold, index, at: now + Int64(Double(min(think, lifetime)) * Self.pickShare))
        if think < lifetime {
            events.add(.pay, index, at: now + think)
        } else {
            events.add(.end, index, at: now + lifetime)
        }
    }

    mutating func pick(_ member: Int, at now: Int64) {
        guard lives[member] == .admitted else { return }
        let count = stock.hold(Int(crowd.members[member].seats))
        heldSeats[member] = UInt8(count)
        guard count == 0 else { return }
        figures.emptyHanded += 1
        endPass(of: member)
    }

    mutating func pay(_ member: Int, at now: Int64) {
        guard lives[member] == .admitted else { return }
        let count = Int(heldSeats[member])
        heldSeats[member] = 0
        stock.sell(count)
        figures.buy(member, seats: count, at: now - opening)
        endPass(of: member)
    }

    mutating func endPass(of member: Int) {
        guard lives[member] == .admitted else { return }
        stock.release(Int(heldSeats[member]))
        heldSeats[member] = 0
        livePasses -= 1
        live(.passEnded, member)
    }

    /// A change of a place by the table; one that is not in it changes nothing (who was admitted is not parked).
    private mutating func live(_ event: PlaceStage.Event, _ member: Int) {
        guard let stage = lives[member].after(event) else { return }
        lives[member] = stage
        if event == .windowEnded { figures.parked += 1 }
    }
}
