/// The scripts of a taproot output (BIP 341, BIP 386): at most 128 branches deep.
indirect enum TapTree<Key: Sendable>: Sendable {
    case key(Key)
    case multisig(Multisig<Key>)
    case branch(TapTree, TapTree)

    /// TAPROOT_CONTROL_MAX_NODE_COUNT of Bitcoin Core.
    static var maxDepth: Int { 128 }

    func map<T, E: Error>(_ transform: (Key) throws(E) -> T) throws(E) -> TapTree<T> {
        switch self {
        case .key(let key): .key(try transform(key))
        case .multisig(let multisig): .multisig(try multisig.map(transform))
        case .branch(let left, let right): .branch(try left.map(transform), try right.map(transform))
        }
    }

    var keys: [Key] {
        switch self {
        case .key(let key): [key]
        case .multisig(let multisig): multisig.keys
        case .branch(let left, let right): left.keys + right.keys
        }
    }

    func text(_ key: (Key) -> String) -> String {
        switch self {
        case .key(let one): "pk(\(key(one)))"
        case .multisig(let multisig): multisig.text("multi_a", key)
        case .branch(let left, let right): "{\(left.text(key)),\(right.text(key))}"
        }
    }
}

extension TapTree<DerivedKey> {
    /// The Merkle root (BIP 341).
    var root: Digest {
        switch self {
        case .key, .multisig:
            let script = leaf
            var bytes = ByteBuffer(capacity: script.count + 4)
            bytes.append(0xc0 as UInt8)
            bytes.appendCompactSize(UInt64(script.count))
            bytes.append(script)
            var hash = Tag.leaf
            hash.update(bytes.bytes)
            return hash.finish()
        case .branch(let left, let right):
            let (a, b) = (left.root, right.root)
            var hash = Tag.branch
            hash.update(min(a, b))
            hash.update(max(a, b))
            return hash.finish()
        }
    }

    /// As Bitcoin Core infers it from the scripts alone (`InferTaprootTree`): what is left and what right is forgotten, and
    /// the branch with the first of the leaves, ordered by their scripts, stands left.
    var inferred: String { inferredWithFirst.text }

    private var inferredWithFirst: (text: String, first: [UInt8], depth: Int) {
        switch self {
        case .key(let key): return ("pk(\(key.textOfX))", leaf, 0)
        case .multisig(let multisig): return (multisig.inferredLeaf, leaf, 0)
        case .branch(let one, let other):
            let (a, b) = (one.inferredWithFirst, other.inferredWithFirst)
            let isBFirst =
                a.first == b.first ? b.depth < a.depth : b.first.lexicographicallyPrecedes(a.first)
            let (left, right) = isBFirst ? (b, a) : (a, b)
            return ("{\(left.text),\(right.text)}", left.first, left.depth + 1)
        }
    }

    /// The script of a leaf; none of a branch.
    private var leaf: [UInt8] {
        switch self {
        case .key(let key): [32] + key.x + [Op.checkSig]
        case .multisig(let multisig): multisig.leaf
        case .branch: []
        }
    }
}

/// Tagged hashes, begun (BIP 341).
private enum Tag {
    static let leaf = SHA256(tag: "TapLeaf")
    static let branch = SHA256(tag: "TapBranch")
}
