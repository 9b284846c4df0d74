// Checks of what was signed: keys, checkpoints, the log under them, policies, the commitment.
import Signing

extension Audit {
    func checkKeys() -> AuditCheck {
        keys.isEmpty
            ? .failed("keys", "there is no Ed25519 key for the log")
            : .ok("keys", "\(keys.count) Ed25519 key\(keys.count == 1 ? "" : "s"): compare with the ones you trust")
    }

    func checkSignatures() -> AuditCheck {
        guard !notes.isEmpty else { return .skipped("signatures", "no checkpoint yet") }
        var last: Checkpoint?
        for (index, note) in notes.enumerated() {
            let name = "checkpoint \(index + 1)"
            guard let note else { return .failed("signatures", "\(name) is not a checkpoint note") }
            let checkpoint = note.checkpoint
            guard checkpoint.room == header.room, checkpoint.generation == header.generation else {
                return .failed("signatures", "\(name) is of another room")
            }
            guard note.isSigned(byOneOf: keys) else { return .failed("signatures", "\(name) has no valid signature") }
            if let last {
                guard checkpoint.size > last.size, checkpoint.milliseconds >= last.milliseconds else {
                    return .failed("signatures", "\(name) does not come after the one before it")
                }
            }
            last = checkpoint
        }
        return .ok("signatures", "\(notes.count) checkpoints are signed, each larger than the one before")
    }

    /// Equal roots at every size say that every checkpoint is the start of every later one.
    func checkTree() -> AuditCheck {
        guard !notes.isEmpty else { return .skipped("tree", "no checkpoint yet") }
        for checkpoint in notes.compactMap({ $0?.checkpoint }) where checkpoint.size <= entries.count {
            guard roots[checkpoint.size] == checkpoint.root else {
                return .failed("tree", "the first \(checkpoint.size) entries have another root than was signed")
            }
        }
        return .ok("tree", "the log has the signed root at each of \(notes.count) sizes")
    }

    func checkCoverage() -> AuditCheck {
        guard let newest = notes.compactMap({ $0?.checkpoint.size }).max() else {
            return .skipped("coverage", "no checkpoint yet")
        }
        guard entries.count >= newest else {
            return .failed("coverage", "the log has \(entries.count) entries, \(newest) were signed")
        }
        return .ok("coverage", "\(newest) of \(entries.count) entries are signed")
    }

    func checkPolicies() -> AuditCheck {
        guard !policies.isEmpty else { return .failed("policies", "there is no policy") }
        let firstJoin = entries.first { !$0.isVoid }?.milliseconds ?? .max
        var last: BundleHeader.Policy?
        for (record, policy) in zip(header.policies, policies) {
            let name = "version \(record.version)"
            guard Base64URL.encode(SHA256.digest(Array(record.document.utf8))) == record.hash else {
                return .failed("policies", "\(name) has another hash than its document")
            }
            guard let policy else { return .failed("policies", "\(name) is not a policy") }
            if let last {
                guard record.version == last.version + 1, record.at >= last.at else {
                    return .failed("policies", "\(name) does not follow version \(last.version)")
                }
            }
            // The policy in force at the first join, and each after it, must name the order.
            let isInForce = record.at > firstJoin || record == header.policies.last { $0.at <= firstJoin }
            guard !isInForce || policy.ordersAs(header.order) else {
                return .failed("policies", "\(name) names another order than people joined under")
            }
            last = record
        }
        return .ok("policies", "\(policies.count) versions have their hashes; the order is \(header.order.method)")
    }

    /// Whether by now the secret must be known.
    private var mustBeRevealed: Bool {
        if header.order.isLottery { return header.draw != nil && header.order.kind == .commitReveal }
        return header.order.tieMilliseconds > 0 && header.phase == "closed"
    }

    func checkCommitment() -> AuditCheck {
        guard let commitment = Hex.decode(header.commitment).flatMap({ Digest($0) }) else {
            return .failed("commitment", "there is none")
        }
        guard let secret else {
            return mustBeRevealed
                ? .failed("commitment", "the secret is still withheld")
                : .skipped("commitment", "the secret is not revealed")
        }
        guard secret.count == Commitment.secretLength,
            Commitment.of(room: header.room, generation: header.generation, secret: secret) == commitment
        else { return .failed("commitment", "the secret is not the one that was committed to") }
        return .ok("commitment", "the secret is the one that was committed to")
    }
}
