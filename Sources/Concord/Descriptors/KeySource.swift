/// A key of a descriptor, ready to be had for any index: all steps before the last are gone.
struct KeySource: Sendable {
    private enum Material: Sendable {
        case fixed([UInt8])
        case children(ChildKeys)
    }

    private let material: Material
    /// As Bitcoin Core knows it: of a key without an origin, its own fingerprint.
    private let fingerprint: [UInt8]
    private let path: [UInt32]

    /// Throws where a step has no key, which nobody has seen. The expression stands for one descriptor.
    init(_ expression: KeyExpression) throws(DescriptorError) {
        var path = expression.origin?.path ?? []
        switch expression.material {
        case .point(let bytes, _):
            material = .fixed(bytes)
            fingerprint = expression.origin?.fingerprint ?? Array(KeyScripts.hash160(bytes).prefix(4))
        case .extended(var key, let steps):
            fingerprint = expression.origin?.fingerprint ?? key.fingerprint
            path += steps.path
            for step in steps.path {
                guard let child = key.child(step) else { throw .noKey(step) }
                key = child
            }
            material = steps.isRanged ? .children(ChildKeys(key)) : .fixed(key.key)
        }
        self.path = path
    }

    /// The key at an index below 2³¹; the same for all of them where there is no `/*`.
    func key(at index: UInt32) throws(DescriptorError) -> DerivedKey {
        switch material {
        case .fixed(let bytes): return DerivedKey(bytes: bytes, fingerprint: fingerprint, path: path)
        case .children(let children):
            guard let bytes = children.key(index) else { throw .noKey(index) }
            return DerivedKey(bytes: bytes, fingerprint: fingerprint, path: path, index: index)
        }
    }
}

/// A key in a script, and where it comes from.
struct DerivedKey: Sendable {
    /// A point of the curve: 33 bytes, or 65, 04 first.
    let bytes: [UInt8]
    private let fingerprint: [UInt8]
    private let path: [UInt32]
    private let index: UInt32?

    init(bytes: [UInt8], fingerprint: [UInt8], path: [UInt32], index: UInt32? = nil) {
        (self.bytes, self.fingerprint, self.path, self.index) = (bytes, fingerprint, path, index)
    }

    /// 32 bytes.
    var x: ArraySlice<UInt8> { bytes[1..<33] }

    /// `[origin]KEY`, as Bitcoin Core infers it.
    var text: String { origin + bytes.hex }
    /// The same for taproot.
    var textOfX: String { origin + x.hex }

    private var origin: String {
        "[" + fingerprint.hex + KeyOrigin.text(path + (index.map { [$0] } ?? [])) + "]"
    }
}
