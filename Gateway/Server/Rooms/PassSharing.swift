// What is done about a pass that two networks use at once: the policy's `pass.sharing`.
import EdgeHTTP
import QueueTokens
import Queueing
import Operations
import UsherAPI

extension LoopRooms {
    /// Notes from where a pass is used; a refusal when that is one network too many and the policy wants more than a
    /// record of it.
    func refusal(ofSharing pass: PassToken, from address: ClientAddress, _ room: RoomView) -> ProblemCode? {
        let policy = room.snapshot.policy.passSharing
        guard policy != .allow else { return nil }
        let network = PassNetwork(address)
        let now = view.now()
        let finding = supplies.passWatch.note(pass.passID, from: network, at: now)
        if finding.isNews || finding.isShared, !room.snapshot.isDegraded {
            let sighting = SightingBatcher.Sighting(pass: pass, network: network, isShared: finding.isShared)
            sightings(of: room).tell(sighting, action: policy, now: now)
        }
        guard finding.isShared else { return nil }
        switch policy {
        case .allow, .log: return nil
        case .stepUp:
            noteRestamp(pass, goodFrom: now.seconds + 1)
            return .passStepUp
        case .end:
            noteRestamp(pass, goodFrom: 0)
            return .passShared
        }
    }

    /// The store knows of a shared pass: its tokens are dead here before the next pull.
    func noteShared(_ pass: PassToken, _ verdict: SightingBatcher.Verdict) {
        guard verdict.isFirst, let room = view.rooms[pass.room] else { return }
        supplies.counters.passesShared[room.snapshot.policy.passSharing]?.increment()
        if let goodFrom = verdict.goodFrom { noteRestamp(pass, goodFrom: goodFrom) }
    }
}
