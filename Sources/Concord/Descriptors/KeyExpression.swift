/// A key as a descriptor has it (BIP 380, BIP 389): `[origin]`, and a point in hex or an extended public key with steps.
struct KeyExpression: Sendable {
    enum Material: Sendable {
        /// 33 or 65 bytes of a point of the curve; 02 before the 32 of one that was given by its x.
        case point([UInt8], isX: Bool)
        case extended(ExtendedPublicKey, Steps)
    }

    /// What follows an extended key.
    struct Steps: Sendable {
        /// Numbers of children, none hardened.
        var path: [UInt32] = []
        /// `<0;1>`, and its place in `path`, which has the first of the values there.
        var several: (place: Int, values: [UInt32])?
        /// Whether `/*` is at the end.
        var isRanged = false

        /// As they are in a descriptor.
        var text: String {
            guard let several else { return KeyOrigin.text(path) + (isRanged ? "/*" : "") }
            return KeyOrigin.text(Array(path[..<several.place]))
                + "/<" + several.values.map(String.init).joined(separator: ";") + ">"
                + KeyOrigin.text(Array(path[(several.place + 1)...])) + (isRanged ? "/*" : "")
        }
    }

    let origin: KeyOrigin?
    let material: Material

    /// As Bitcoin Core writes it.
    var text: String {
        let origin = origin.map { "[\($0.text)]" } ?? ""
        switch material {
        case .point(let bytes, let isX): return origin + (isX ? Array(bytes[1...]) : bytes).hex
        case .extended(let key, let steps): return origin + key.text + steps.text
        }
    }

    /// The number of descriptors that it stands for.
    var branches: Int {
        if case .extended(_, let steps) = material { steps.several?.values.count ?? 1 } else { 1 }
    }

    var isRanged: Bool {
        if case .extended(_, let steps) = material { steps.isRanged } else { false }
    }

    /// Nil where it is of every network.
    var networks: [Network]? {
        if case .extended(let key, _) = material { key.networks } else { nil }
    }

    /// The one of the descriptors with this number; itself where it is but one.
    func branch(_ number: Int) -> KeyExpression {
        guard case .extended(let key, var steps) = material, let several = steps.several else { return self }
        steps.path[several.place] = several.values[number]
        steps.several = nil
        return KeyExpression(origin: origin, material: .extended(key, steps))
    }
}

extension KeyExpression {
    /// The length of the key in a script that is not taproot's.
    var scriptBytes: Int {
        if case .point(let bytes, _) = material { bytes.count } else { 33 }
    }
}
