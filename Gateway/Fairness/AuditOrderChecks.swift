// Checks of what decided the order: the seal, the beacon, the draw, the tie windows, and the ranks that follow.
import Signing

extension Audit {
    func checkSeal() -> AuditCheck {
        guard header.order.isLottery else { return .skipped("seal", "no lottery") }
        guard let seal = header.seal else {
            return header.draw == nil ? .skipped("seal", "not sealed yet") : .failed("seal", "drawn without a seal")
        }
        guard seal.count <= UInt64(entries.count) else {
            return .failed("seal", "\(seal.count) are sealed, the log has \(entries.count)")
        }
        let cohort = Int(seal.count)
        if let late = entries[..<cohort].firstIndex(where: { $0.milliseconds > seal.at }) {
            return .failed("seal", "number \(late + 1) arrived after the seal and is in it")
        }
        if let early = entries[cohort...].firstIndex(where: { !$0.isVoid && $0.milliseconds < seal.at }) {
            return .failed("seal", "number \(early + 1) arrived before the seal and is not in it")
        }
        // An empty list needs no signature: nobody could be chosen.
        guard cohort > 0, let draw = header.draw, let round = draw.round else {
            return .ok("seal", "\(seal.count) places, none from after it")
        }
        guard let signed = notes.compactMap({ $0?.checkpoint }).first(where: { $0.size >= cohort }),
            signed.milliseconds < Quicknet.milliseconds(of: round)
        else { return .failed("seal", "the list was not signed before round \(round) came") }
        return .ok("seal", "\(seal.count) places, signed before round \(round) came")
    }

    func checkBeacon() -> AuditCheck {
        guard let draw = header.draw else { return .skipped("beacon", "no draw") }
        guard let kind = DrawSeed.Kind(name: draw.kind), kind == header.order.kind else {
            return .failed("beacon", "the policy names another beacon")
        }
        guard let value = Hex.decode(draw.value), value.count == DrawSeed.valueLength else {
            return .failed("beacon", "there is no value of 32 bytes")
        }
        guard kind == .drand else {
            return value == secret
                ? .ok("beacon", "the room's own secret (weaker: the operator knew it)")
                : .failed("beacon", "the value is not the revealed secret")
        }
        return checkRound(draw, value: value)
    }

    private func checkRound(_ draw: BundleHeader.Draw, value: [UInt8]) -> AuditCheck {
        guard draw.chain == Quicknet.chain else { return .failed("beacon", "the chain is not drand's quicknet") }
        guard let signature = draw.signature.flatMap(Hex.decode), signature.count == Quicknet.signatureLength,
            SHA256.digest(signature) == value
        else { return .failed("beacon", "the value is not the hash of a signature") }
        guard let round = draw.round, let seal = header.seal, let opens = saleOpensAt(sealedAt: seal.at) else {
            return .failed("beacon", "nothing names a round")
        }
        let first = NamedRound.first(saleOpensAt: opens, sealedAt: seal.at)
        guard let named = NamedRound.inForce(first: first, named: draw.named ?? []) else {
            return .failed("beacon", "a round was named against the rule")
        }
        guard round == named else { return .failed("beacon", "round \(named) was named, round \(round) was taken") }
        return .ok("beacon", "round \(round) as named, hash checked; its BLS signature is not verified here")
    }

    /// As the policy in force at the seal said: a later one cannot move the round.
    private func saleOpensAt(sealedAt: Int64) -> Int64? {
        header.policies.lastIndex { $0.at <= sealedAt }.flatMap { policies[$0]?.saleOpensAt }
    }

    func checkDraw() -> AuditCheck {
        guard let draw = header.draw else {
            return header.order.isLottery && !["draft", "scheduled", "prequeue", "sealed"].contains(header.phase)
                ? .failed("draw", "people are called without a draw") : .skipped("draw", "no draw")
        }
        guard header.order.isLottery else { return .failed("draw", "drawn, though the order is by arrival") }
        guard draw.version == DrawSeed.version else { return .failed("draw", "version \(draw.version) is unknown") }
        guard draw.count == header.seal?.count else { return .failed("draw", "it counts others than the seal") }
        guard let root = roots[Int(clamping: draw.count)], draw.root == root.hex else {
            return .failed("draw", "it is over another list than the log")
        }
        guard drawnBlock?.seed.hex == draw.seed else {
            return .failed("draw", "the seed does not follow from its parts")
        }
        return .ok("draw", "the seed follows from the list of \(draw.count) and the beacon")
    }

    /// The block of the lottery with the seed as it is computed here.
    private var drawnBlock: RankBlock? {
        guard let draw = header.draw, let kind = DrawSeed.Kind(name: draw.kind),
            let root = roots[Int(clamping: draw.count)],
            let value = Hex.decode(draw.value), value.count == DrawSeed.valueLength
        else { return nil }
        let seed = DrawSeed.of(
            room: header.room,
            generation: header.generation,
            root: root,
            count: draw.count,
            kind: kind,
            value: value
        )
        return RankBlock(first: 1, count: draw.count, seed: seed)
    }

    func checkTies() -> AuditCheck {
        let window = header.order.tieMilliseconds
        guard window > 0, !header.order.isLottery else {
            return ties.isEmpty ? .skipped("ties", "no tie windows") : .failed("ties", "ties in a room without windows")
        }
        var listed = ties[...]
        var unlisted = 0
        for run in windows(of: window) {
            if let tie = listed.first, tie.first == run.first {
                guard tie.count == run.count else {
                    return .failed("ties", "the ties at number \(tie.first) are not all of their window")
                }
                listed = listed.dropFirst()
            } else if run.count > 1 {
                guard isExcused(run) else {
                    return .failed("ties", "the \(run.count) of one window at number \(run.first) were not tied")
                }
                unlisted += 1
            }
        }
        guard let tie = listed.first else {
            let rest = unlisted == 0 ? "" : ", \(unlisted) open or lost with the store"
            return .ok("ties", "\(ties.count) windows of \(window) ms hold who arrived in them\(rest)")
        }
        return .failed("ties", "the ties at number \(tie.first) are not of one window")
    }

    /// Runs of numbers that arrived in one window; void numbers end a run.
    private func windows(of length: Int64) -> [TiedNumbers] {
        var runs: [TiedNumbers] = []
        var last: Int64?
        for (index, entry) in entries.enumerated() {
            let window = entry.isVoid ? nil : entry.milliseconds / length
            if let window, window == last {
                runs[runs.count - 1].count += 1
            } else if window != nil {
                runs.append(TiedNumbers(first: UInt64(index) + 1, count: 1))
            }
            last = window
        }
        return runs
    }

    /// A window need not be listed while nobody of it or after it is called, or when the store was lost just after it.
    private func isExcused(_ run: TiedNumbers) -> Bool {
        let cursor = moves.last?.cursor ?? 0
        let isLast = run.first + run.count - 1 == UInt64(entries.count)
        if isLast, cursor < run.first { return true }
        let at = entries[Int(run.first - 1)].milliseconds
        return (header.changes ?? []).contains { $0.kind == "restore" && (at...(at + 60_000)).contains($0.at) }
    }

    /// The ranks of everybody; nil while what decides them is not public yet.
    func checkRanks() -> (RankTable?, AuditCheck) {
        var table = RankTable()
        if header.order.isLottery {
            guard let block = drawnBlock else { return (nil, .skipped("ranks", "no draw to compute them from")) }
            guard block.count == 0 || block.count <= UInt64(entries.count) && table.append(block) else {
                return (nil, .failed("ranks", "the draw is over more than the log"))
            }
            return (table, .ok("ranks", "\(block.count) ranks computed from the seed"))
        }
        guard !ties.isEmpty else { return (table, .ok("ranks", "every rank is the number")) }
        guard let secret else { return (nil, .skipped("ranks", "the secret of the ties is not revealed")) }
        for tie in ties {
            let seed = TieBreak.seed(secret: secret, room: header.room, first: tie.first, count: tie.count)
            guard tie.first + tie.count <= UInt64(entries.count) + 1,
                table.append(RankBlock(first: tie.first, count: tie.count, seed: seed))
            else { return (nil, .failed("ranks", "the ties at number \(tie.first) overlap, or nobody is there")) }
        }
        return (table, .ok("ranks", "\(ties.map(\.count).reduce(0, +)) ranks computed from the secret"))
    }
}
