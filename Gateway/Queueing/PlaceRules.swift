// Where a place stands, from a snapshot, a number and the time.

extension RoomSnapshot {
    /// What the holder of the place with this rank is told. Any gateway with the same snapshot says the same.
    package func state(of rank: UInt64, at now: Moment) -> PlaceState {
        guard rank <= cursor else { return .waiting(ahead: ahead(of: rank)) }
        if turnedUp.contains(rank) { return .called(deadline: nil) }
        // While nobody can claim no deadline runs out.
        var moment = now
        if isDegraded { moment = min(moment, asOf) }
        if let pausedAt { moment = min(moment, pausedAt) }
        if let until = extended[rank], moment < until { return .called(deadline: until) }
        guard let calledAt = calls.calledAt(rank) else { return .forfeited }
        return switch policy.claim.standing(calledAt: calledAt, at: moment) {
        case .open(let deadline): .called(deadline: deadline)
        case .parked(let deadline): .parked(deadline: deadline)
        case .over: .forfeited
        }
    }

    /// How often a place of that rank may still ask for longer; nil while no deadline runs.
    package func extensionsLeft(rank: UInt64, in state: PlaceState) -> Int? {
        guard state.deadline != nil else { return nil }
        return max(0, policy.claim.extensionsMax - (extensionsUsed[rank] ?? 0))
    }

    /// How many places are called before this rank: numbers nobody holds are stepped over.
    package func ahead(of rank: UInt64) -> UInt64 {
        guard rank > cursor else { return 0 }
        var ahead = rank - cursor - 1
        for void in order.voids {
            let (first, last) = (max(void.lowerBound, cursor + 1), min(void.upperBound, rank - 1))
            if first <= last { ahead -= last - first + 1 }
        }
        return ahead
    }

    /// How far before the cursor presence is watched: three minutes of the pace.
    package var nearFront: UInt64 { UInt64(policy.admission.perMinute) * 3 }

    /// By an admin, or because the shop is away.
    package var isPaused: Bool { override.stopsCalling || outlook == .away }
}
