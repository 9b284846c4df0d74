// A drand chain and when its rounds come.
package import Queueing
import Signing

package struct BeaconChain: Sendable, Equatable {
    /// SHA-256 of what the chain is made of (`hash(period:genesis:publicKey:groupHash:beaconID:)`).
    package var hash: [UInt8]
    /// When round 1 comes.
    package var genesisSeconds: Int64
    package var periodSeconds: Int64

    /// The League of Entropy's unchained network with a round every three seconds.
    package static let quicknet = BeaconChain(
        hash: Hex.decode("52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971") ?? [],
        genesisSeconds: 1_692_803_367,
        periodSeconds: 3
    )

    package init(hash: [UInt8], genesisSeconds: Int64, periodSeconds: Int64) {
        self.hash = hash
        self.genesisSeconds = genesisSeconds
        self.periodSeconds = periodSeconds
    }

    package var hexHash: String { Hex.encode(hash) }

    package func moment(of round: UInt64) -> Moment {
        Moment(seconds: genesisSeconds + Int64(clamping: round &- 1) * periodSeconds)
    }

    /// The first round that comes at this moment or later.
    package func firstRound(from moment: Moment) -> UInt64 {
        let sinceGenesis = moment.milliseconds - genesisSeconds * 1000
        guard sinceGenesis > 0 else { return 1 }
        let periodMS = periodSeconds * 1000
        return UInt64((sinceGenesis + periodMS - 1) / periodMS) + 1
    }

    /// drand's `Info.Hash`: period in seconds (4 bytes), genesis in seconds (8), public key, group hash, and the name of
    /// the beacon when it is not `default`; integers big-endian.
    package static func hash(
        period: UInt32,
        genesis: Int64,
        publicKey: [UInt8],
        groupHash: [UInt8],
        beaconID: String
    ) -> [UInt8] {
        var message: [UInt8] = []
        for shift in stride(from: 24, through: 0, by: -8) { message.append(UInt8(truncatingIfNeeded: period >> shift)) }
        for shift in stride(from: 56, through: 0, by: -8) {
            message.append(UInt8(truncatingIfNeeded: genesis >> shift))
        }
        message += publicKey + groupHash
        if !beaconID.isEmpty, beaconID != "default" { message += Array(beaconID.utf8) }
        return SHA256.digest(message)
    }
}

/// A round's signature and what is drawn from: SHA-256 of it.
package struct BeaconRound: Sendable, Hashable {
    package static let signatureBytes = 48

    package var round: UInt64
    package var signature: [UInt8]
    package var randomness: [UInt8]

    /// Nil when the signature has another length than those of the chain.
    package init?(round: UInt64, signature: [UInt8]) {
        guard signature.count == Self.signatureBytes else { return nil }
        self.round = round
        self.signature = signature
        randomness = SHA256.digest(signature)
    }
}
