// What a tree can show (RFC 6962 §2.1.1 and §2.1.2): its root at an earlier size, that an entry is in it, that one size
// grew out of another. Each reads the leaves of at most two tiles.

extension MerkleTree {
    /// The root when there were `size` entries; nil when there never were so many.
    package func root<Failure: Error>(
        at size: Int,
        leaves: LeafSource<Failure>
    ) throws(Failure) -> Digest? {
        guard (0...count).contains(size) else { return nil }
        if size == 0 { return Self.emptyRoot }
        if size == count { return root }
        var tiles = Tiles(tree: self, size: size)
        return try tiles.digest(0..<size, leaves)
    }

    /// The hashes beside the way from leaf `index` to the root of `size` entries, lowest first; nil when there is no
    /// such leaf.
    package func inclusionPath<Failure: Error>(
        of index: Int,
        at size: Int,
        leaves: LeafSource<Failure>
    ) throws(Failure) -> [Digest]? {
        guard (0...count).contains(size), (0..<size).contains(index) else { return nil }
        var tiles = Tiles(tree: self, size: size)
        var path: [Digest] = []
        var range = 0..<size
        while range.count > 1 {
            let middle = range.lowerBound + Self.split(range.count)
            if index < middle {
                path.append(try tiles.digest(middle..<range.upperBound, leaves))
                range = range.lowerBound..<middle
            } else {
                path.append(try tiles.digest(range.lowerBound..<middle, leaves))
                range = middle..<range.upperBound
            }
        }
        return path.reversed()
    }

    /// The hashes that show that the tree of `earlier` entries is the start of the one of `later`; nil unless
    /// 0 < earlier ≤ later ≤ count.
    package func consistencyPath<Failure: Error>(
        from earlier: Int,
        to later: Int,
        leaves: LeafSource<Failure>
    ) throws(Failure) -> [Digest]? {
        guard earlier > 0, earlier <= later, later <= count else { return nil }
        var tiles = Tiles(tree: self, size: later)
        var path: [Digest] = []
        var range = 0..<later
        // Whether the subtree under the way is one the reader of the proof knows as the whole earlier tree.
        var isWhole = true
        while range.upperBound != earlier {
            let middle = range.lowerBound + Self.split(range.count)
            if earlier <= middle {
                path.append(try tiles.digest(middle..<range.upperBound, leaves))
                range = range.lowerBound..<middle
            } else {
                path.append(try tiles.digest(range.lowerBound..<middle, leaves))
                range = middle..<range.upperBound
                isWhole = false
            }
        }
        if !isWhole { path.append(try tiles.digest(range, leaves)) }
        return path.reversed()
    }

    /// The leaves a proof will ask for, each range within one tile: for those who must fetch them before they call.
    package func leavesNeeded(toInclude index: Int, at size: Int) -> [Range<Int>] {
        guard (0...count).contains(size), (0..<size).contains(index) else { return [] }
        return tileRanges([index, size - 1], at: size)
    }

    /// As `leavesNeeded(toInclude:at:)`, for a proof of consistency and for the root at `earlier`.
    package func leavesNeeded(toConnect earlier: Int, with later: Int) -> [Range<Int>] {
        guard earlier > 0, earlier <= later, later <= count else { return [] }
        return tileRanges([earlier - 1, later - 1], at: later)
    }

    private func tileRanges(_ indices: [Int], at size: Int) -> [Range<Int>] {
        Set(indices.map { $0 / Self.tileLeaves }).sorted()
            .map { Tiles.leaves(of: $0, at: size) }
            .filter { $0.lowerBound < rows[0].count * Self.tileLeaves }
    }
}

/// Reads a tree at one size; keeps the leaves of the tiles it passes through.
private struct Tiles {
    let tree: MerkleTree
    let size: Int
    private var read: [Int: [Digest]] = [:]

    init(tree: MerkleTree, size: Int) {
        self.tree = tree
        self.size = size
    }

    static func leaves(of tile: Int, at size: Int) -> Range<Int> {
        let start = tile * MerkleTree.tileLeaves
        return start..<min(start + MerkleTree.tileLeaves, size)
    }

    /// The hash over leaves that make a subtree of the tree's shape.
    mutating func digest<Failure: Error>(
        _ range: Range<Int>,
        _ leaves: MerkleTree.LeafSource<Failure>
    ) throws(Failure) -> Digest {
        let count = range.count
        if count >= MerkleTree.tileLeaves, count & (count - 1) == 0 {
            return tree.rows[count.trailingZeroBitCount - MerkleTree.tileHeight][range.lowerBound / count]
        }
        if count > MerkleTree.tileLeaves {
            let middle = range.lowerBound + MerkleTree.split(count)
            let left = try digest(range.lowerBound..<middle, leaves)
            return MerkleTree.node(left, try digest(middle..<range.upperBound, leaves))
        }
        let tile = range.lowerBound / MerkleTree.tileLeaves
        let start = tile * MerkleTree.tileLeaves
        let known = try self.leaves(of: tile, leaves)
        return MerkleTree.root(ofTile: known[(range.lowerBound - start)..<(range.upperBound - start)])
    }

    private mutating func leaves<Failure: Error>(
        of tile: Int,
        _ leaves: MerkleTree.LeafSource<Failure>
    ) throws(Failure) -> [Digest] {
        if tile == tree.rows[0].count { return tree.open }
        if let known = read[tile] { return known }
        let wanted = Self.leaves(of: tile, at: size)
        let found = try leaves(wanted)
        precondition(found.count == wanted.count, "a leaf source answers for the range it was asked")
        read[tile] = found
        return found
    }
}
