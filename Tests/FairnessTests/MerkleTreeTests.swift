// The tree against Certificate Transparency's vectors (RFC 6962; transparency-dev/merkle, testonly/constants.go) and
// against the definition written down plainly.
import Fairness
import Signing
import Testing

private let entries = [
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
].map { Hex.decode($0) ?? [] }

private let roots = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

/// Sizes around one tile, two tiles and a power of two.
private let sizes = [1, 2, 3, 7, 8, 255, 256, 257, 300, 511, 512, 513, 700, 768, 1023, 1024, 1025, 1300]

struct MerkleTreeTests {
    private static func leaf(_ index: Int) -> Digest {
        MerkleTree.leaf([UInt8(index & 255), UInt8(index >> 8)])
    }

    private static func leaves(_ range: Range<Int>) -> [Digest] { range.map(leaf) }

    private static func tree(of count: Int) -> MerkleTree {
        var tree = MerkleTree()
        for index in 0..<count { tree.append(leaf: leaf(index)) }
        return tree
    }

    /// RFC 6962 §2.1, word by word.
    private static func definedRoot(_ leaves: ArraySlice<Digest>) -> Digest {
        guard leaves.count > 1, let first = leaves.first else { return leaves.first ?? MerkleTree.emptyRoot }
        _ = first
        var split = 1
        while split * 2 < leaves.count { split *= 2 }
        let middle = leaves.startIndex + split
        let left = definedRoot(leaves[..<middle])
        let right = definedRoot(leaves[middle...])
        return Digest.of([1] + left.bytes + right.bytes)
    }

    @Test func `roots of RFC 6962's example leaves`() {
        var tree = MerkleTree()
        #expect(tree.root.hex == roots[0])
        for (index, entry) in entries.enumerated() {
            tree.append(leaf: MerkleTree.leaf(entry))
            #expect(tree.root.hex == roots[index + 1])
        }
    }

    @Test(arguments: [
        (
            0, 8,
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ]
        ),
        (
            5, 8,
            [
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ]
        ),
        (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
        (
            1, 5,
            [
                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ]
        ),
    ])
    func `published inclusion proofs`(index: Int, size: Int, path: [String]) throws {
        let tree = published()
        let found = try #require(tree.inclusionPath(of: index, at: size, leaves: publishedLeaves))
        #expect(found.map(\.hex) == path)
    }

    @Test(arguments: [
        (
            1, 8,
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ]
        ),
        (
            6, 8,
            [
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ]
        ),
        (
            2, 5,
            [
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ]
        ),
        (8, 8, []),
    ])
    func `published consistency proofs`(from earlier: Int, to later: Int, path: [String]) throws {
        let tree = published()
        let found = try #require(tree.consistencyPath(from: earlier, to: later, leaves: publishedLeaves))
        #expect(found.map(\.hex) == path)
    }

    private func published() -> MerkleTree {
        var tree = MerkleTree()
        for entry in entries { tree.append(leaf: MerkleTree.leaf(entry)) }
        return tree
    }

    private func publishedLeaves(_ range: Range<Int>) -> [Digest] { range.map { MerkleTree.leaf(entries[$0]) } }

    @Test func `roots at every earlier size are those the tree had`() throws {
        let tree = Self.tree(of: 1300)
        for size in sizes {
            let root = try #require(tree.root(at: size, leaves: Self.leaves))
            #expect(root == Self.definedRoot(Self.leaves(0..<size)[...]), "\(size)")
            #expect(root == Self.tree(of: size).root, "\(size)")
        }
        #expect(tree.root(at: 0, leaves: Self.leaves) == MerkleTree.emptyRoot)
        #expect(tree.root(at: 1301, leaves: Self.leaves) == nil)
        #expect(tree.root(at: -1, leaves: Self.leaves) == nil)
    }

    @Test(arguments: sizes)
    func `an inclusion proof holds for its leaf, index, size and root alone`(size: Int) throws {
        let tree = Self.tree(of: 1300)
        let root = try #require(tree.root(at: size, leaves: Self.leaves))
        let other = try #require(tree.root(at: size + (size == 1300 ? -1 : 1), leaves: Self.leaves))
        for index in Set([0, size / 3, size / 2, size - 1]) {
            let path = try #require(tree.inclusionPath(of: index, at: size, leaves: Self.leaves))
            let leaf = Self.leaf(index)
            func holds(
                _ leaf: Digest,
                _ index: Int,
                _ path: [Digest],
                _ root: Digest
            ) -> Bool { MerkleProof.includes(leaf: leaf, index: index, size: size, path: path, root: root) }
            #expect(holds(leaf, index, path, root))
            #expect(!holds(Self.leaf(index + 1), index, path, root))
            #expect(!holds(leaf, index + 1, path, root))
            #expect(!holds(leaf, index - 1, path, root))
            #expect(!holds(leaf, index, path, other))
            #expect(!holds(leaf, index, path + [root], root))
            guard !path.isEmpty else { continue }
            #expect(!holds(leaf, index, Array(path.dropLast()), root))
            for place in path.indices {
                var broken = path
                broken[place] = leaf
                #expect(!holds(leaf, index, broken, root))
            }
        }
    }

    @Test(arguments: sizes, sizes)
    func `a consistency proof holds for its sizes and roots alone`(earlier: Int, later: Int) throws {
        let tree = Self.tree(of: 1300)
        let found = tree.consistencyPath(from: earlier, to: later, leaves: Self.leaves)
        guard earlier <= later else {
            #expect(found == nil)
            return
        }
        let path = try #require(found)
        let was = try #require(tree.root(at: earlier, leaves: Self.leaves))
        let becomes = try #require(tree.root(at: later, leaves: Self.leaves))
        #expect(MerkleProof.connects(earlier, was, with: later, becomes, path: path))
        #expect(!MerkleProof.connects(earlier, Self.leaf(0), with: later, becomes, path: path) || was == Self.leaf(0))
        #expect(!MerkleProof.connects(earlier, was, with: later, Self.leaf(1), path: path))
        #expect(!MerkleProof.connects(earlier, was, with: later, becomes, path: path + [was]))
        for place in path.indices {
            var broken = path
            broken[place] = Self.leaf(9000)
            #expect(!MerkleProof.connects(earlier, was, with: later, becomes, path: broken))
        }
    }

    @Test func `a proof asks for the leaves it announced and no others`() throws {
        let tree = Self.tree(of: 1300)
        for size in sizes {
            for index in Set([0, size / 2, size - 1]) {
                var asked: [Range<Int>] = []
                _ = tree.inclusionPath(of: index, at: size) { range in
                    asked.append(range)
                    return Self.leaves(range)
                }
                #expect(Set(asked).isSubset(of: tree.leavesNeeded(toInclude: index, at: size)), "\(index) of \(size)")
                #expect(asked.count <= 2)
                asked = []
                _ = tree.consistencyPath(from: index + 1, to: size) { range in
                    asked.append(range)
                    return Self.leaves(range)
                }
                #expect(Set(asked).isSubset(of: tree.leavesNeeded(toConnect: index + 1, with: size)))
                #expect(asked.count <= 2)
            }
        }
    }
}
