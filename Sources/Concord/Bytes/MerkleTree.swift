/// The Merkle tree hash of RFC 6962, section 2.1, over SHA-256.
public enum MerkleTree {
    /// SHA-256(0x00 ‖ entry).
    public static func leaf(_ entry: UnsafeRawBufferPointer) -> Digest {
        var sha = SHA256()
        sha.update(0)
        sha.update(entry)
        return sha.finish()
    }

    /// SHA-256(0x01 ‖ left ‖ right).
    public static func node(_ left: Digest, _ right: Digest) -> Digest {
        var sha = SHA256()
        sha.update(1)
        sha.update(left)
        sha.update(right)
        return sha.finish()
    }

    /// The root over the hashes of a power of two of leaves: there the RFC's split is always in the middle.
    ///
    /// Neighbouring pairs that repeat are hashed once: most of a patch's sections are empty.
    public static func root(ofLeaves leaves: [Digest]) -> Digest {
        nodes(1, ofLeaves: leaves)[0]
    }

    /// The inner nodes on the level that has `count` of them, over the hashes of a power of two of leaves; nodes are the
    /// leaves of what is above them.
    public static func nodes(_ count: Int, ofLeaves leaves: [Digest]) -> [Digest] {
        precondition(leaves.count.nonzeroBitCount == 1, "the number of shards is a power of two")
        var level = leaves
        while level.count > count {
            var last: (left: Digest, right: Digest, node: Digest)?
            for i in 0..<level.count / 2 {
                let (left, right) = (level[2 * i], level[2 * i + 1])
                if let last, last.left == left, last.right == right {
                    level[i] = last.node
                } else {
                    let node = Self.node(left, right)
                    level[i] = node
                    last = (left, right, node)
                }
            }
            level.removeLast(level.count / 2)
        }
        return level
    }
}
