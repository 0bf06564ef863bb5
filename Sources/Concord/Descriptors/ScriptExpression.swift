/// What a descriptor says, over keys as they were given, as they are derived from, or as they are in scripts.
indirect enum ScriptExpression<Key: Sendable>: Sendable {
    case address(Address)
    case raw([UInt8])
    case key(Key)
    case keyHash(Key)
    case witnessKeyHash(Key)
    case combo(Key)
    case multisig(Multisig<Key>)
    case scriptHash(ScriptExpression)
    case witnessScriptHash(ScriptExpression)
    case taproot(Key, TapTree<Key>?)
    case rawTaproot(Key)

    func map<T, E: Error>(_ transform: (Key) throws(E) -> T) throws(E) -> ScriptExpression<T> {
        switch self {
        case .address(let address): .address(address)
        case .raw(let script): .raw(script)
        case .key(let key): .key(try transform(key))
        case .keyHash(let key): .keyHash(try transform(key))
        case .witnessKeyHash(let key): .witnessKeyHash(try transform(key))
        case .combo(let key): .combo(try transform(key))
        case .multisig(let multisig): .multisig(try multisig.map(transform))
        case .scriptHash(let inner): .scriptHash(try inner.map(transform))
        case .witnessScriptHash(let inner): .witnessScriptHash(try inner.map(transform))
        case .taproot(let key, let tree): .taproot(try transform(key), try tree?.map(transform))
        case .rawTaproot(let key): .rawTaproot(try transform(key))
        }
    }

    var keys: [Key] {
        switch self {
        case .address, .raw: []
        case .key(let key), .keyHash(let key), .witnessKeyHash(let key), .combo(let key),
            .rawTaproot(let key):
            [key]
        case .multisig(let multisig): multisig.keys
        case .scriptHash(let inner), .witnessScriptHash(let inner): inner.keys
        case .taproot(let key, let tree): [key] + (tree?.keys ?? [])
        }
    }

    /// The descriptor, without a checksum.
    func text(_ key: (Key) -> String) -> String {
        switch self {
        case .address(let address): "addr(\(address.text))"
        case .raw(let script): "raw(\(script.hex))"
        case .key(let one): "pk(\(key(one)))"
        case .keyHash(let one): "pkh(\(key(one)))"
        case .witnessKeyHash(let one): "wpkh(\(key(one)))"
        case .combo(let one): "combo(\(key(one)))"
        case .multisig(let multisig): multisig.text("multi", key)
        case .scriptHash(let inner): "sh(\(inner.text(key)))"
        case .witnessScriptHash(let inner): "wsh(\(inner.text(key)))"
        case .taproot(let one, nil): "tr(\(key(one)))"
        case .taproot(let one, let tree?): "tr(\(key(one)),\(tree.text(key)))"
        case .rawTaproot(let one): "rawtr(\(key(one)))"
        }
    }
}

extension ScriptExpression<DerivedKey> {
    /// The scriptPubKeys: one; of `combo` two for an uncompressed key and four for others.
    var scripts: [[UInt8]] {
        guard case .combo = self else { return [script] }
        return combined.map(\.script)
    }

    /// The descriptors that Bitcoin Core infers of `scripts` (`InferDescriptor`), in the same order, without checksums.
    func inferred(on network: Network) -> [String] {
        switch self {
        case .combo: combined.flatMap { $0.inferred(on: network) }
        case .address(let address): [InferredDescriptor.text(of: address.script, on: network)]
        case .raw(let script): [InferredDescriptor.text(of: script, on: network)]
        default: [inferred]
        }
    }

    /// What `combo` stands for (BIP 384).
    private var combined: [ScriptExpression] {
        guard case .combo(let key) = self else { return [self] }
        let plain: [ScriptExpression] = [.key(key), .keyHash(key)]
        return key.bytes.count == 33
            ? plain + [.witnessKeyHash(key), .scriptHash(.witnessKeyHash(key))] : plain
    }

    private var script: [UInt8] {
        switch self {
        case .address(let address): address.script
        case .raw(let script): script
        case .key(let key): [UInt8(key.bytes.count)] + key.bytes + [Op.checkSig]
        case .keyHash(let key):
            [Op.dup, Op.hash160, 20] + KeyScripts.hash160(key.bytes) + [Op.equalVerify, Op.checkSig]
        case .witnessKeyHash(let key): [0, 20] + KeyScripts.hash160(key.bytes)
        case .combo: combined[0].script
        case .multisig(let multisig): multisig.script
        case .scriptHash(let inner): [Op.hash160, 20] + KeyScripts.hash160(inner.script) + [Op.equal]
        case .witnessScriptHash(let inner): [0, 32] + SHA256.hash(inner.script).bytes
        case .taproot(let key, let tree):
            // A key is a point, and no tweak is known that leads from one to none.
            KeyScripts.taproot(x: key.x, root: tree?.root) ?? []
        case .rawTaproot(let key): [Op.one, 32] + key.x
        }
    }

    private var inferred: String {
        switch self {
        case .multisig(let multisig): multisig.inferred
        case .scriptHash(let inner): "sh(\(inner.inferred))"
        case .witnessScriptHash(let inner): "wsh(\(inner.inferred))"
        case .taproot(let key, nil): "tr(\(key.textOfX))"
        case .taproot(let key, let tree?): "tr(\(key.textOfX),\(tree.inferred))"
        case .rawTaproot(let key): "rawtr(\(key.textOfX))"
        default: text(\.text)
        }
    }
}
