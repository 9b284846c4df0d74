/// Beginnings of `User-Agent`, compared without case. One walk over the field finds any of them: its hash grows by a byte
/// at a time and is looked up at the lengths in use.
struct AgentSet: Sendable {
    private struct Entry: Sendable {
        var prefix: [UInt8]
        var endMS: Int64
    }

    private var entries: [UInt64: [Entry]] = [:]
    private var hasLength: [Bool] = []
    private(set) var count = 0

    /// - Returns: whether it is new.
    mutating func insert(_ prefix: String, endMS: Int64) -> Bool {
        let bytes = prefix.utf8.map(Self.lowered)
        let hash = bytes.reduce(Self.hashStart, Self.hash)
        if let index = entries[hash]?.firstIndex(where: { $0.prefix == bytes }) {
            entries[hash]?[index].endMS = endMS
            return false
        }
        entries[hash, default: []].append(Entry(prefix: bytes, endMS: endMS))
        while hasLength.count <= bytes.count { hasLength.append(false) }
        hasLength[bytes.count] = true
        count += 1
        return true
    }

    /// The latest end of those that the field begins with.
    func end(of agent: some Collection<UInt8>) -> Int64? {
        var hash = Self.hashStart
        var length = 0
        var latest: Int64?
        for byte in agent.prefix(max(0, hasLength.count - 1)) {
            hash = Self.hash(hash, Self.lowered(byte))
            length += 1
            guard hasLength[length], let found = entries[hash] else { continue }
            for entry in found where entry.prefix.count == length {
                guard zip(entry.prefix, agent).allSatisfy({ $0 == Self.lowered($1) }) else { continue }
                latest = max(latest ?? entry.endMS, entry.endMS)
            }
        }
        return latest
    }

    private static let hashStart: UInt64 = 0xCBF2_9CE4_8422_2325

    private static func hash(_ hash: UInt64, _ byte: UInt8) -> UInt64 { (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }

    private static func lowered(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
