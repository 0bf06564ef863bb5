/// m of n keys: `multi` and `sortedmulti` (BIP 383), in leaves `multi_a` and `sortedmulti_a` (BIP 387).
struct Multisig<Key: Sendable>: Sendable {
    let threshold: Int
    let keys: [Key]
    let isSorted: Bool

    func map<T, E: Error>(_ transform: (Key) throws(E) -> T) throws(E) -> Multisig<T> {
        Multisig<T>(threshold: threshold, keys: try keys.map(transform), isSorted: isSorted)
    }

    /// `name` and what is in its brackets.
    func text(_ name: String, _ key: (Key) -> String) -> String {
        "\(isSorted ? "sorted" : "")\(name)(\(threshold),\(keys.map(key).joined(separator: ",")))"
    }
}

extension Multisig<DerivedKey> {
    /// With the keys in the order of the script.
    private func ordered<K: Sequence<UInt8>>(by key: (DerivedKey) -> K) -> Multisig {
        guard isSorted else { return self }
        let sorted = keys.sorted { key($0).lexicographicallyPrecedes(key($1)) }
        return Multisig(threshold: threshold, keys: sorted, isSorted: false)
    }

    /// The script with OP_CHECKMULTISIG.
    var script: [UInt8] {
        var script = Op.number(threshold)
        for key in ordered(by: \.bytes).keys { script += [UInt8(key.bytes.count)] + key.bytes }
        return script + Op.number(keys.count) + [Op.checkMultisig]
    }

    /// The script of a leaf (BIP 342), with OP_CHECKSIGADD.
    var leaf: [UInt8] {
        var script: [UInt8] = []
        for (i, key) in ordered(by: \.x).keys.enumerated() {
            script += [32] + key.x + [i == 0 ? Op.checkSig : Op.checkSigAdd]
        }
        return script + Op.number(threshold) + [Op.numEqual]
    }

    /// As Bitcoin Core infers it: the order of the keys is that of the script.
    var inferred: String { ordered(by: \.bytes).text("multi", \.text) }
    var inferredLeaf: String { ordered(by: \.x).text("multi_a", \.textOfX) }
}
