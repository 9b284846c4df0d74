// Checks proofs with nothing but roots in hand (RFC 9162 §2.1.3.2 and §2.1.4.2).

package enum MerkleProof {
    /// No tree has a longer path: sizes are 63-bit numbers.
    package static let pathCountMax = 64

    /// Whether `path` leads from `leaf` at `index` to the root of `size` entries.
    package static func includes(leaf: Digest, index: Int, size: Int, path: [Digest], root: Digest) -> Bool {
        guard (0..<max(size, 0)).contains(index), path.count <= pathCountMax else { return false }
        var (position, last) = (index, size - 1)
        var digest = leaf
        for beside in path {
            guard last > 0 else { return false }
            if position & 1 == 1 || position == last {
                digest = MerkleTree.node(beside, digest)
                while position & 1 == 0, position > 0 {
                    position >>= 1
                    last >>= 1
                }
            } else {
                digest = MerkleTree.node(digest, beside)
            }
            position >>= 1
            last >>= 1
        }
        return last == 0 && digest == root
    }

    /// Whether `path` shows that the tree of `later` entries starts with all of the one of `earlier`.
    package static func connects(
        _ earlier: Int,
        _ earlierRoot: Digest,
        with later: Int,
        _ laterRoot: Digest,
        path: [Digest]
    ) -> Bool {
        guard earlier > 0, earlier <= later, path.count <= pathCountMax else { return false }
        if earlier == later { return path.isEmpty && earlierRoot == laterRoot }
        // A whole power of two is a node of the later tree by itself, and so not in the path.
        var rest = path[...]
        guard let start = earlier & (earlier - 1) == 0 ? earlierRoot : rest.popFirst() else { return false }
        var (position, last) = (earlier - 1, later - 1)
        while position & 1 == 1 {
            position >>= 1
            last >>= 1
        }
        var (was, becomes) = (start, start)
        for beside in rest {
            guard last > 0 else { return false }
            if position & 1 == 1 || position == last {
                was = MerkleTree.node(beside, was)
                becomes = MerkleTree.node(beside, becomes)
                while position & 1 == 0, position > 0 {
                    position >>= 1
                    last >>= 1
                }
            } else {
                becomes = MerkleTree.node(becomes, beside)
            }
            position >>= 1
            last >>= 1
        }
        return last == 0 && was == earlierRoot && becomes == laterRoot
    }
}
