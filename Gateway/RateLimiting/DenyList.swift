/// Who is refused at the door: addresses, blocks and accounts, each with a reason and perhaps an end.
/// An exact address and an account are one hash look-up, a block one look-up for each length in use.
package struct DenyList: Sendable {
    package static let entriesMax = 100_000
    package static let accountLengthMax = 64

    package enum Target: Sendable, Hashable {
        case address(NetworkAddress)
        case block(AddressBlock)
        case account(String)

        /// An address, a CIDR block, or `account:<id>`.
        package init?(_ text: String) {
            if text.hasPrefix("account:") {
                let account = text.dropFirst("account:".count)
                guard (1...DenyList.accountLengthMax).contains(account.utf8.count),
                    account.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
                else { return nil }
                self = .account(String(account))
            } else if let address = NetworkAddress(text) {
                self = .address(address)
            } else if let block = AddressBlock(text) {
                self = .block(block)
            } else {
                return nil
            }
        }
    }

    package struct Entry: Sendable, Equatable {
        package var reason: String
        /// Milliseconds since 1970; nil for good.
        package var expiresAtMS: Int64?

        package init(reason: String, expiresAtMS: Int64? = nil) {
            self.reason = reason
            self.expiresAtMS = expiresAtMS
        }

        func holds(at nowMS: Int64) -> Bool { expiresAtMS.map { nowMS < $0 } ?? true }
    }

    private var addresses: [NetworkAddress: Entry] = [:]
    private var accounts: [String: Entry] = [:]
    private var blocks: [Int: [NetworkAddress: Entry]] = [:]
    package private(set) var count = 0

    package init() {}

    package var isEmpty: Bool { count == 0 }

    /// - Returns: false when the list is full.
    @discardableResult
    package mutating func insert(_ target: Target, _ entry: Entry) -> Bool {
        guard count < Self.entriesMax else { return false }
        let old: Entry? =
            switch target {
            case .address(let address): addresses.updateValue(entry, forKey: address)
            case .account(let account): accounts.updateValue(entry, forKey: account)
            case .block(let block): blocks[block.length, default: [:]].updateValue(entry, forKey: block.first)
            }
        if old == nil { count += 1 }
        return true
    }

    package func entry(for address: NetworkAddress, atMS nowMS: Int64) -> Entry? {
        guard count > 0 else { return nil }
        if let entry = addresses[address], entry.holds(at: nowMS) { return entry }
        for (length, entries) in blocks {
            if let entry = entries[address.masked(to: length)], entry.holds(at: nowMS) { return entry }
        }
        return nil
    }

    package func entry(forAccount account: String, atMS nowMS: Int64) -> Entry? {
        guard let entry = accounts[account], entry.holds(at: nowMS) else { return nil }
        return entry
    }
}
