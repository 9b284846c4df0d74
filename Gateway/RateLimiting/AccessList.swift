/// A list of those who are refused at the door, or of those who meet no limits: addresses, blocks, accounts and
/// beginnings of `User-Agent`, each perhaps with an end. Built once, then only read. An empty list costs a comparison, an
/// address one look-up for each prefix length in use.
package struct AccessList: Sendable {
    package static let entriesMax = 100_000
    package static let accountLengthMax = 64
    package static let agentsMax = 1000
    package static let agentLengthMax = 128

    private var addresses = AddressSet()
    private var blocks: [(length: Int, addresses: AddressSet)] = []
    private var accounts: [String: Int64] = [:]
    private var agents = AgentSet()

    package init() {}

    package var count: Int {
        addresses.count + blocks.reduce(0) { $0 + $1.addresses.count } + accounts.count + agents.count
    }

    package var isEmpty: Bool { !namesAddresses && !namesAccounts && !namesAgents }
    package var namesAddresses: Bool { addresses.count > 0 || !blocks.isEmpty }
    package var namesAccounts: Bool { !accounts.isEmpty }
    package var namesAgents: Bool { agents.count > 0 }

    /// `endMS` counts milliseconds since 1970, nil is for good.
    /// - Returns: false when the list is full.
    @discardableResult
    package mutating func insert(_ target: AccessTarget, endMS: Int64? = nil) -> Bool {
        guard count < Self.entriesMax else { return false }
        let endMS = endMS ?? .max
        switch target {
        case .address(let address): _ = addresses.insert(address, endMS: endMS)
        case .block(let block): insert(block, endMS: endMS)
        case .account(let account): accounts[account] = endMS
        case .agent(let prefix):
            guard agents.count < Self.agentsMax else { return false }
            _ = agents.insert(prefix, endMS: endMS)
        }
        return true
    }

    private mutating func insert(_ block: AddressBlock, endMS: Int64) {
        if let index = blocks.firstIndex(where: { $0.length == block.length }) {
            _ = blocks[index].addresses.insert(block.first, endMS: endMS)
            return
        }
        var set = AddressSet()
        _ = set.insert(block.first, endMS: endMS)
        blocks.append((block.length, set))
    }

    /// The clock is read only for somebody who is on the list.
    package func names(_ address: NetworkAddress, atMS nowMS: @autoclosure () -> Int64) -> Bool {
        if let end = addresses.end(of: address), nowMS() < end { return true }
        for block in blocks {
            if let end = block.addresses.end(of: address.masked(to: block.length)), nowMS() < end { return true }
        }
        return false
    }

    package func names(account: String, atMS nowMS: @autoclosure () -> Int64) -> Bool {
        guard namesAccounts, let end = accounts[account] else { return false }
        return nowMS() < end
    }

    package func names(agent: some Collection<UInt8>, atMS nowMS: @autoclosure () -> Int64) -> Bool {
        guard let end = agents.end(of: agent) else { return false }
        return nowMS() < end
    }
}
