// The tree over a room's arrival log, in the shape of RFC 6962 §2.1: it only grows, and its root fixes every entry.
//
// Compact: of 256 leaves that stand together only their common hash is kept (32 bytes for 6 KiB of log); the leaves below
// are computed again from entries when a proof goes through them.

package struct MerkleTree: Sendable {
    /// Leaves for a range of indices: from a file, from memory, from wherever the log is kept. The range always lies in
    /// one tile.
    package typealias LeafSource<Failure: Error> = (Range<Int>) throws(Failure) -> [Digest]

    package static let tileLeaves = 256
    static let tileHeight = 8
    static let leafPrefix: UInt8 = 0
    static let nodePrefix: UInt8 = 1

    /// The root of no entries.
    package static let emptyRoot = Digest.of([])

    /// `rows[0]` holds the hash of each complete tile, `rows[1]` of each pair of those, and so on.
    private(set) var rows: [[Digest]] = [[]]
    /// Leaves of the tile that is not complete.
    private(set) var open: [Digest] = []

    package init() {}

    package var count: Int { rows[0].count * Self.tileLeaves + open.count }

    package static func leaf(_ entry: [UInt8]) -> Digest { Digest.of([leafPrefix] + entry) }

    static func node(_ left: Digest, _ right: Digest) -> Digest {
        withUnsafeTemporaryAllocation(byteCount: 1 + 2 * Digest.length, alignment: 8) { message in
            message[0] = nodePrefix
            left.copy(to: UnsafeMutableRawBufferPointer(rebasing: message[1...]))
            right.copy(to: UnsafeMutableRawBufferPointer(rebasing: message[(1 + Digest.length)...]))
            return Digest.of(UnsafeRawBufferPointer(message))
        }
    }

    package mutating func append(leaf: Digest) {
        open.append(leaf)
        guard open.count == Self.tileLeaves else { return }
        var digest = Self.root(ofTile: open[...])
        open.removeAll(keepingCapacity: true)
        var row = 0
        rows[0].append(digest)
        while rows[row].count % 2 == 0 {
            digest = Self.node(rows[row][rows[row].count - 2], digest)
            row += 1
            if row == rows.count { rows.append([]) }
            rows[row].append(digest)
        }
    }

    /// Appends entries of 24 bytes that stand one after the other.
    package mutating func append(entries: [UInt8]) {
        ArrivalEntry.eachLeaf(of: entries) { append(leaf: $0) }
    }

    /// The root over all entries.
    package var root: Digest {
        var digest: Digest? = open.isEmpty ? nil : Self.root(ofTile: open[...])
        for row in rows where row.count % 2 == 1 {
            guard let left = row.last else { continue }
            digest = digest.map { Self.node(left, $0) } ?? left
        }
        return digest ?? Self.emptyRoot
    }

    /// The root of up to 256 leaves that start at a whole tile.
    static func root(ofTile leaves: ArraySlice<Digest>) -> Digest {
        guard var row = Optional(Array(leaves)), !row.isEmpty else { return emptyRoot }
        // An odd last one goes up unchanged: the same shape as RFC 6962's split at the largest power of two.
        while row.count > 1 {
            for index in 0..<(row.count / 2) { row[index] = node(row[2 * index], row[2 * index + 1]) }
            if row.count % 2 == 1 { row[row.count / 2] = row[row.count - 1] }
            row.removeLast(row.count / 2)
        }
        return row[0]
    }

    /// The largest power of two below `count`, which is at least 2.
    static func split(_ count: Int) -> Int {
        1 << (Int.bitWidth - 1 - (count - 1).leadingZeroBitCount)
    }
}
