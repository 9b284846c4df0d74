// Checks a bundle from its bytes alone. Each check stands in docs/fairness.md under the same name; docs/verify checks the
// same ones in another language.
import Signing

package struct AuditCheck: Sendable, Equatable {
    package enum Verdict: String, Sendable, Codable {
        case ok
        case failed = "FAIL"
        case skipped = "skip"
    }

    package var name: String
    package var verdict: Verdict
    package var detail: String

    static func ok(_ name: String, _ detail: String) -> Self { Self(name: name, verdict: .ok, detail: detail) }
    static func failed(_ name: String, _ detail: String) -> Self { Self(name: name, verdict: .failed, detail: detail) }
    static func skipped(_ name: String, _ detail: String) -> Self {
        Self(name: name, verdict: .skipped, detail: detail)
    }
}

package struct AuditReport: Sendable {
    package var checks: [AuditCheck]
    package var figures: FairnessFigures?

    package var holds: Bool { checks.allSatisfy { $0.verdict != .failed } }
}

/// One run over one bundle.
package struct Audit {
    let header: BundleHeader
    let bundle: RoomBundle
    let entries: [ArrivalEntry]
    let ties: [TiedNumbers]
    let moves: [CursorMove]
    /// The highest cursor up to each move: also where moves are out of order, somebody is called once.
    let reached: [UInt64]
    let claims: [GrantedClaim]
    let left: [UInt64]
    let keys: [Ed25519.PublicKey]
    let notes: [SignedCheckpoint?]
    let policies: [PublishedPolicy?]
    let secret: [UInt8]?
    /// Roots of the log at the sizes that matter.
    let roots: [Int: Digest]

    init(_ bundle: RoomBundle) {
        header = bundle.header
        self.bundle = bundle
        entries = bundle.entries
        ties = bundle.ties
        moves = bundle.moves
        var highest: UInt64 = 0
        reached = moves.map { move in
            highest = max(highest, move.cursor)
            return highest
        }
        claims = bundle.claims
        left = bundle.left
        keys = bundle.header.keys.keys.compactMap(\.publicKey)
        notes = bundle.header.checkpoints.map { SignedCheckpoint(note: $0) }
        policies = bundle.header.policies.map { PublishedPolicy(document: $0.document) }
        secret = bundle.header.secret.flatMap(Hex.decode)
        var sizes = Set(notes.compactMap { $0?.checkpoint.size })
        if let draw = header.draw { sizes.insert(Int(clamping: draw.count)) }
        roots = Self.roots(of: bundle.sections[.log] ?? [], at: sizes)
    }

    /// All checks. `progress` is told the name of each check as it begins.
    package static func run(_ bundle: RoomBundle, progress: (String) -> Void = { _ in }) -> AuditReport {
        progress("format")
        let format = Self.format(bundle)
        guard format.verdict == .ok else { return AuditReport(checks: [format]) }
        progress("tree")
        let audit = Audit(bundle)
        var checks = [
            format, audit.checkKeys(), audit.checkSignatures(), audit.checkTree(), audit.checkCoverage(),
            audit.checkPolicies(), audit.checkCommitment(), audit.checkSeal(), audit.checkBeacon(), audit.checkDraw(),
        ]
        progress("ties")
        checks.append(audit.checkTies())
        let (table, ranks) = audit.checkRanks()
        checks.append(ranks)
        progress("places")
        checks.append(audit.checkPlaces(table))
        progress("calls")
        checks += [audit.checkMoves(), audit.checkClaims(table), audit.checkOrder(table)]
        progress("figures")
        let figures = audit.figures(table)
        checks.append(Self.arrivals(figures))
        return AuditReport(checks: checks, figures: figures)
    }

    private static func roots(of log: [UInt8], at sizes: Set<Int>) -> [Int: Digest] {
        var tree = MerkleTree()
        var roots: [Int: Digest] = [:]
        if sizes.contains(0) { roots[0] = tree.root }
        ArrivalEntry.eachLeaf(of: log) { leaf in
            tree.append(leaf: leaf)
            if sizes.contains(tree.count) { roots[tree.count] = tree.root }
        }
        return roots
    }
}

extension BundleHeader.Key {
    /// Nil for a key that is not Ed25519's.
    var publicKey: Ed25519.PublicKey? {
        guard kty == "OKP", crv == "Ed25519", let bytes = x.flatMap(Base64URL.decode) else { return nil }
        return try? Ed25519.PublicKey(bytes: bytes)
    }
}
