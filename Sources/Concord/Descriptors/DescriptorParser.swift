/// Reads a descriptor without its checksum, as Bitcoin Core's `ParseScript` does.
struct DescriptorParser {
    /// What stands around an expression.
    private enum Place {
        case top, scriptHash, witness, leaf
    }

    /// The least and the most of Bitcoin Core: MAX_PUBKEYS_PER_MULTISIG, MAX_PUBKEYS_PER_MULTI_A, what relays bare, and
    /// MAX_SCRIPT_ELEMENT_SIZE.
    private static let maxKeys = 20
    private static let maxLeafKeys = 999
    private static let maxBareKeys = 3
    private static let maxRedeemBytes = 520

    private let bytes: [UInt8]
    private var at = 0

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The bytes are characters of descriptors alone.
    static func parse(_ bytes: [UInt8]) throws(DescriptorError) -> ScriptExpression<KeyExpression> {
        var parser = DescriptorParser(bytes)
        let expression = try parser.expression(in: .top)
        guard parser.at == bytes.count else { throw .expected("the end", at: parser.at) }
        return expression
    }

    private mutating func expression(in place: Place) throws(DescriptorError) -> ScriptExpression<
        KeyExpression
    > {
        let start = at
        let name = try function()
        let expression: ScriptExpression<KeyExpression>
        switch (name, place) {
        case ("pk", .top), ("pk", .scriptHash), ("pk", .witness):
            expression = .key(try key(in: place))
        case ("pkh", .top), ("pkh", .scriptHash), ("pkh", .witness):
            expression = .keyHash(try key(in: place))
        case ("wpkh", .top):
            expression = .witnessKeyHash(try key(in: .witness, as: .witness))
        case ("wpkh", .scriptHash):
            expression = .witnessKeyHash(try key(in: .witness, as: .nested))
        case ("combo", .top):
            expression = .combo(try key(in: .top))
        case ("multi", .top), ("multi", .scriptHash), ("multi", .witness),
            ("sortedmulti", .top), ("sortedmulti", .scriptHash), ("sortedmulti", .witness):
            expression = .multisig(try multisig(isSorted: name == "sortedmulti", in: place))
        case ("sh", .top):
            expression = .scriptHash(try self.expression(in: .scriptHash))
        case ("wsh", .top), ("wsh", .scriptHash):
            expression = .witnessScriptHash(try self.expression(in: .witness))
        case ("tr", .top):
            let key = try self.key(in: .leaf)
            expression = .taproot(key, try skip(",") ? tree(depth: 0) : nil)
        case ("rawtr", .top):
            expression = .rawTaproot(try key(in: .leaf))
        case ("addr", .top):
            expression = .address(try address())
        case ("raw", .top):
            guard let script = [UInt8](hex: argument().lowercased()) else { throw .notHex(at: start) }
            expression = .raw(script)
        default: throw Self.refusal(of: name, at: start)
        }
        try expect(")")
        return expression
    }

    private mutating func address() throws(DescriptorError) -> Address {
        do {
            return try Address(argument())
        } catch {
            throw .address(error)
        }
    }

    /// What can be where, in words; nil for a function that is not known.
    private static func refusal(of name: String, at place: Int) -> DescriptorError {
        switch name {
        case "pkh": .misplaced(name, rule: "alone, in sh() or in wsh()", at: place)
        case "multi", "sortedmulti": .misplaced(name, rule: "alone, in sh() or in wsh()", at: place)
        case "multi_a", "sortedmulti_a": .misplaced(name, rule: "in the tree of tr()", at: place)
        case "wpkh", "wsh": .misplaced(name, rule: "alone or in sh()", at: place)
        case "combo", "sh", "tr", "rawtr", "addr", "raw": .misplaced(name, rule: "alone", at: place)
        default: .function(at: place)
        }
    }

    private mutating func tree(depth: Int) throws(DescriptorError) -> TapTree<KeyExpression> {
        if skip("{") {
            guard depth < TapTree<KeyExpression>.maxDepth else { throw .tooDeep(at: at) }
            let left = try tree(depth: depth + 1)
            try expect(",")
            let right = try tree(depth: depth + 1)
            try expect("}")
            return .branch(left, right)
        }
        let start = at
        let name = try function()
        let leaf: TapTree<KeyExpression>
        switch name {
        case "pk": leaf = .key(try key(in: .leaf))
        case "multi_a", "sortedmulti_a":
            leaf = .multisig(try multisig(isSorted: name == "sortedmulti_a", in: .leaf))
        default: throw Self.refusal(of: name, at: start)
        }
        try expect(")")
        return leaf
    }

    private mutating func multisig(
        isSorted: Bool, in place: Place
    ) throws(DescriptorError) -> Multisig<KeyExpression> {
        let start = at
        let most = place == .leaf ? Self.maxLeafKeys : Self.maxKeys
        let threshold = KeyParser.number(bytes[argumentRange()], below: 1 << 32)
        var keys: [KeyExpression] = []
        while skip(",") {
            keys.append(try key(in: place))
            guard keys.count <= most else { throw .tooManyKeys(most: most, at: start) }
        }
        guard let threshold, (1...max(keys.count, 1)).contains(Int(threshold)), !keys.isEmpty else {
            throw .threshold(keys: keys.count, at: start)
        }
        if place == .top, keys.count > Self.maxBareKeys {
            throw .tooManyKeys(most: Self.maxBareKeys, at: start)
        }
        let size = keys.reduce(3) { $0 + 1 + $1.scriptBytes }
        if place == .scriptHash, size > Self.maxRedeemBytes { throw .redeemScript(size, at: start) }
        return Multisig(threshold: Int(threshold), keys: keys, isSorted: isSorted)
    }

    private mutating func key(
        in place: Place, as kind: ExtendedPublicKey.Kind = .any
    ) throws(DescriptorError) -> KeyExpression {
        let range = argumentRange()
        if range.upperBound < bytes.count, bytes[range.upperBound] == UInt8(ascii: "(") {
            throw .function(at: range.lowerBound)
        }
        return try KeyParser.parse(
            bytes[range], allowsUncompressed: place == .top || place == .scriptHash,
            allowsX: place == .leaf, kind: kind)
    }

    // MARK: characters

    /// The name of a function; its bracket is passed.
    private mutating func function() throws(DescriptorError) -> String {
        let start = at
        while at < bytes.count, isOfName(bytes[at]) { at += 1 }
        guard at < bytes.count, bytes[at] == UInt8(ascii: "("), at > start, at - start <= 16 else {
            throw .function(at: start)
        }
        defer { at += 1 }
        return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    private func isOfName(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "_")
    }

    /// Passes what stands up to the next bracket, brace or comma.
    private mutating func argumentRange() -> Range<Int> {
        let start = at
        while at < bytes.count, !",(){}".utf8.contains(bytes[at]) { at += 1 }
        return start..<at
    }

    private mutating func argument() -> String {
        String(decoding: bytes[argumentRange()], as: UTF8.self)
    }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard at < bytes.count, bytes[at] == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(DescriptorError) {
        guard skip(character) else { throw .expected("\(character)", at: at) }
    }
}
