// One entry of a room's arrival log: 24 bytes that fix who arrived when, without saying who.

package struct ArrivalEntry: Sendable, Hashable {
    package static let tagLength = 16
    package static let length = tagLength + 8

    private let tagHigh: UInt64
    private let tagLow: UInt64
    /// Milliseconds since 1970, by the clock of the store that gave the number.
    package let milliseconds: Int64

    /// A number that nobody has: it was skipped after a loss of the store.
    package static let void = ArrivalEntry(tagHigh: 0, tagLow: 0, milliseconds: 0)

    package var isVoid: Bool { self == .void }

    private init(tagHigh: UInt64, tagLow: UInt64, milliseconds: Int64) {
        self.tagHigh = tagHigh
        self.tagLow = tagLow
        self.milliseconds = milliseconds
    }

    /// Nil unless the dedupe tag has 16 bytes.
    package init?(dedupeTag: [UInt8], milliseconds: Int64) {
        guard dedupeTag.count == Self.tagLength else { return nil }
        self = dedupeTag.withUnsafeBytes {
            Self(tagHigh: $0.bigEndian(at: 0), tagLow: $0.bigEndian(at: 8), milliseconds: milliseconds)
        }
    }

    /// Nil unless there are 24 bytes.
    package init?(bytes: [UInt8]) {
        guard bytes.count == Self.length else { return nil }
        self = bytes.withUnsafeBytes { Self(in: $0, at: 0) }
    }

    init(in bytes: UnsafeRawBufferPointer, at offset: Int) {
        self.init(
            tagHigh: bytes.bigEndian(at: offset),
            tagLow: bytes.bigEndian(at: offset + 8),
            milliseconds: bytes.bigEndian(at: offset + 16)
        )
    }

    /// Entries that stand one after the other; a remainder shorter than an entry is left out.
    package static func all(in bytes: [UInt8]) -> [ArrivalEntry] {
        bytes.withUnsafeBytes { bytes in
            (0..<(bytes.count / length)).map { ArrivalEntry(in: bytes, at: $0 * length) }
        }
    }

    package var dedupeTag: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(bigEndian: tagHigh)
        bytes.append(bigEndian: tagLow)
        return bytes
    }

    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return bytes
    }

    func append(to bytes: inout [UInt8]) {
        bytes.append(bigEndian: tagHigh)
        bytes.append(bigEndian: tagLow)
        bytes.append(bigEndian: milliseconds)
    }

    /// The dedupe tag as a value to compare and look up by.
    struct Tag: Hashable {
        let high: UInt64
        let low: UInt64
    }

    var tag: Tag { Tag(high: tagHigh, low: tagLow) }

    /// The leaf of this entry in the room's tree.
    package var leaf: Digest { MerkleTree.leaf(bytes) }

    /// The leaves of entries that stand one after the other; a remainder shorter than an entry is left out.
    package static func leaves(of entries: [UInt8]) -> [Digest] {
        var leaves: [Digest] = []
        leaves.reserveCapacity(entries.count / length)
        eachLeaf(of: entries) { leaves.append($0) }
        return leaves
    }

    static func eachLeaf(of entries: [UInt8], _ take: (Digest) -> Void) {
        entries.withUnsafeBytes { entries in
            withUnsafeTemporaryAllocation(byteCount: 1 + length, alignment: 8) { message in
                message[0] = MerkleTree.leafPrefix
                let room = UnsafeMutableRawBufferPointer(rebasing: message[1...])
                for start in stride(from: 0, through: entries.count - length, by: length) {
                    room.copyMemory(from: UnsafeRawBufferPointer(rebasing: entries[start..<(start + length)]))
                    take(Digest.of(UnsafeRawBufferPointer(message)))
                }
            }
        }
    }
}
