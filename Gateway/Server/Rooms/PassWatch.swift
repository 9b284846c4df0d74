// Finds passes that two networks use at once. One table for all loops of a gateway, behind one lock that is held for a
// fraction of a microsecond; gateways find together what none of them can see alone, through `SightingBatcher`.
package import EdgeHTTP
import Queueing
import Signing
import Synchronization

package final class PassWatch: Sendable {
    private let table: Mutex<PassUseTable>

    package init() {
        let seed = SecureRandom.bytes(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        table = Mutex(PassUseTable(seed: seed))
    }

    func note(_ passID: String, from network: PassNetwork, at now: Moment) -> PassUseTable.Finding {
        table.withLock { $0.note(passID, from: network, atMS: now.milliseconds) }
    }
}

extension PassNetwork {
    package init(_ address: ClientAddress) {
        self.init(high: address.high, low: address.low)
    }

    /// `198.51.100.0/24`, `2001:db8:1::/48`.
    package var description: String {
        if bits & 1 == 1 {
            return "\(ClientAddress(high: bits & ~0xFFFF, low: 0).description)/48"
        }
        return "\(ClientAddress(ipv4: UInt32(truncatingIfNeeded: bits >> 16)).description)/24"
    }
}
