// Checks of what happened: one place each, calls in order of rank, nobody in before being called.

extension Audit {
    /// A tag may come again only when its former place was given up, used, or lost.
    func checkPlaces(_ table: RankTable?) -> AuditCheck {
        let gone = Set(left)
        let used = Dictionary(claims.map { ($0.number, $0.milliseconds) }) { first, _ in first }
        let patience = policies.compactMap { $0?.forfeitMilliseconds }.min() ?? 0
        var holders: [ArrivalEntry.Tag: UInt64] = [:]
        holders.reserveCapacity(entries.count)
        var again = 0
        for (index, entry) in entries.enumerated() where !entry.isVoid {
            let number = UInt64(index) + 1
            guard let former = holders.updateValue(number, forKey: entry.tag) else { continue }
            let rank = table?.rank(of: former) ?? former
            let isLost = callTime(of: rank).map { entry.milliseconds >= $0 + patience } ?? false
            guard gone.contains(former) || isLost || used[former].map({ $0 <= entry.milliseconds }) ?? false else {
                return .failed("places", "number \(number) has the tag of number \(former), who still waited")
            }
            again += 1
        }
        return .ok("places", "\(holders.count) people, \(again) of them came again")
    }

    func checkMoves() -> AuditCheck {
        guard !moves.isEmpty else { return .skipped("moves", "nobody was called") }
        for (move, next) in zip(moves, moves.dropFirst()) {
            guard next.cursor > move.cursor, next.milliseconds >= move.milliseconds else {
                return .failed("moves", "the cursor went from \(move.cursor) to \(next.cursor)")
            }
        }
        guard let first = moves.first, let last = moves.last, first.cursor > 0,
            last.cursor <= UInt64(entries.count)
        else { return .failed("moves", "the cursor is beyond the last arrival") }
        if header.order.isLottery {
            guard let draw = header.draw, let seal = header.seal, first.milliseconds >= seal.at,
                draw.round.map({ first.milliseconds >= Quicknet.milliseconds(of: $0) }) ?? true
            else { return .failed("moves", "people were called before the draw") }
        }
        return .ok("moves", "\(moves.count) calls, each further than the one before, up to rank \(last.cursor)")
    }

    func checkClaims(_ table: RankTable?) -> AuditCheck {
        guard !claims.isEmpty else { return .skipped("claims", "nobody went in") }
        guard let table else { return .skipped("claims", "ranks are not public yet") }
        for claim in claims {
            let rank = table.rank(of: claim.number)
            guard let called = callTime(of: rank), called <= claim.milliseconds else {
                return .failed("claims", "number \(claim.number), rank \(rank), went in before its call")
            }
        }
        return .ok("claims", "\(claims.count) passes, each after its call")
    }

    func checkOrder(_ table: RankTable?) -> AuditCheck {
        guard !claims.isEmpty else { return .skipped("order", "nobody went in") }
        var seen: Set<UInt64> = []
        var last = Int64.min
        for claim in claims {
            guard claim.number > 0, claim.number <= UInt64(entries.count), !entries[Int(claim.number - 1)].isVoid else {
                return .failed("order", "nobody has number \(claim.number), but it went in")
            }
            guard seen.insert(claim.number).inserted else {
                return .failed("order", "number \(claim.number) got two passes")
            }
            guard claim.milliseconds >= last else {
                return .failed("order", "the pass of number \(claim.number) is older than the one before it")
            }
            last = claim.milliseconds
        }
        return .ok("order", "passes are in order of time, one for a place")
    }

    static func arrivals(_ figures: FairnessFigures) -> AuditCheck {
        let deciles = figures.admittedPerDecile.map { "\(Int(($0 * 100).rounded()))" }.joined(separator: " ")
        let rate = Int((figures.inversionRate * 1_000_000).rounded())
        return .ok(
            "arrivals",
            "out of order \(rate) pairs of a million; moved p50 \(figures.displacementP50), "
                + "p99 \(figures.displacementP99); % let in by tenth: \(deciles)"
        )
    }

    func figures(_ table: RankTable?) -> FairnessFigures {
        let admitted = Set(claims.map(\.number))
        var (arrivals, ranks, isAdmitted): ([Int64], [UInt64], [Bool]) = ([], [], [])
        for (index, entry) in entries.enumerated() where !entry.isVoid {
            let number = UInt64(index) + 1
            arrivals.append(entry.milliseconds)
            ranks.append(table?.rank(of: number) ?? number)
            isAdmitted.append(admitted.contains(number))
        }
        return FairnessFigures(arrivals: arrivals, ranks: ranks, isAdmitted: isAdmitted)
    }

    /// When a rank was called: at the first move that reached it. Nil when none did.
    private func callTime(of rank: UInt64) -> Int64? {
        var (low, high) = (0, reached.count)
        while low < high {
            let middle = (low + high) / 2
            if reached[middle] < rank { low = middle + 1 } else { high = middle }
        }
        return low < reached.count ? moves[low].milliseconds : nil
    }
}
