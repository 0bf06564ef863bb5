/// An output descriptor that names no secret: which scripts somebody is interested in (BIP 380 to 387, 389).
///
/// The functions `addr`, `raw`, `pk`, `pkh`, `wpkh`, `combo`, `multi`, `sortedmulti`, `sh`, `wsh`, `tr` with leaves `pk`,
/// `multi_a` and `sortedmulti_a`, and `rawtr` are taken where Bitcoin Core's `ParseScript` takes them, with its limits; other
/// miniscript is not. Two descriptors are equal where their texts are.
public struct Descriptor: Sendable {
    /// 999 keys of `multi_a`, and more.
    static let longest = 1 << 18

    /// As Bitcoin Core writes it, without a checksum: hex in lower case, extended keys as `xpub` or `tpub`.
    public let text: String
    /// The networks on which it means something: those of its address or extended keys; all where it has neither.
    public let networks: [Network]
    private let parsed: ScriptExpression<KeyExpression>
    /// Of each branch, in the order of the numbers in `<…>`.
    private let sources: [ScriptExpression<KeySource>]

    /// Reads a descriptor, without white space around it. Where `#` is in it, eight characters behind it are its checksum,
    /// and must be right.
    ///
    /// A `ypub` or `upub` alone, perhaps with an origin, stands for `sh(wpkh(KEY/<0;1>/*))`, a `zpub` or `vpub` for
    /// `wpkh(KEY/<0;1>/*)`; inside a descriptor they are the `xpub` or `tpub` of the same key, for that kind of script only
    /// (SLIP 132). Anything private is refused.
    public init(_ text: String) throws(DescriptorError) {
        let bytes = Array(text.utf8)
        guard bytes.count <= Self.longest else { throw .tooLong(bytes.count) }
        if case .secret(let secret)? = TypedScriptError.recognised(text) { throw .secret(secret) }
        if let foreign = DescriptorChecksum.firstForeign(in: bytes) {
            throw .character(at: foreign)
        }
        switch try Self.kindOfBareKey(text) {
        case nil: try self.init(DescriptorParser.parse(Self.withoutChecksum(bytes)))
        case .any?: throw .bareKey
        case .nested?: try self.init("sh(wpkh(\(text)/<0;1>/*))")
        case .witness?: try self.init("wpkh(\(text)/<0;1>/*)")
        }
    }

    /// `addr` of an address.
    public init(_ address: Address) {
        self.init(.address(address), [.address(address)], address.networks)
    }

    /// `raw` of a scriptPubKey.
    public init(raw script: [UInt8]) {
        self.init(.raw(script), [.raw(script)], Network.allCases)
    }

    private init(_ parsed: ScriptExpression<KeyExpression>) throws(DescriptorError) {
        let keys = parsed.keys
        let count = keys.map(\.branches).max() ?? 1
        guard keys.allSatisfy({ [1, count].contains($0.branches) }) else { throw .branches }
        var networks = Network.allCases
        if case .address(let address) = parsed { networks = address.networks }
        for key in keys { networks.removeAll { !(key.networks?.contains($0) ?? true) } }
        guard !networks.isEmpty else { throw .networks }
        var sources: [ScriptExpression<KeySource>] = []
        for number in 0..<count {
            sources.append(
                try parsed.map { key throws(DescriptorError) in try KeySource(key.branch(number)) })
        }
        self.init(parsed, sources, networks)
    }

    private init(
        _ parsed: ScriptExpression<KeyExpression>, _ sources: [ScriptExpression<KeySource>],
        _ networks: [Network]
    ) {
        text = parsed.text(\.text)
        (self.parsed, self.sources, self.networks) = (parsed, sources, networks)
    }

    /// Nil where the text is more or less than an extended public key.
    private static func kindOfBareKey(_ text: String) throws(DescriptorError) -> ExtendedPublicKey.Kind? {
        guard !text.contains("(") else { return nil }
        let key = text.split(separator: "]").last ?? ""
        guard TypedScriptError.isExtended(key, "pub") else { return nil }
        do {
            let kind = try ExtendedPublicKey(String(key.prefix { $0 != "/" })).kind
            return key.contains("/") ? .any : kind
        } catch {
            throw .extendedKey(error, at: text.utf8.count - key.utf8.count)
        }
    }

    /// What is in front of the checksum, if there is one.
    private static func withoutChecksum(_ bytes: [UInt8]) throws(DescriptorError) -> [UInt8] {
        guard let mark = bytes.firstIndex(of: UInt8(ascii: "#")) else { return bytes }
        let (body, checksum) = (Array(bytes[..<mark]), bytes[(mark + 1)...])
        if let second = checksum.firstIndex(of: UInt8(ascii: "#")) { throw .twoChecksums(at: second) }
        guard checksum.count == 8 else { throw .checksumLength(checksum.count) }
        let expected = DescriptorChecksum.of(body)
        guard checksum.elementsEqual(expected.utf8) else { throw .checksum(expected: expected) }
        return body
    }
}

extension Descriptor {
    /// Eight characters (BIP 380).
    public var checksum: String { DescriptorChecksum.of(Array(text.utf8)) }

    /// Whether it has other scripts for each index.
    public var isRanged: Bool { parsed.keys.contains(where: \.isRanged) }

    /// The descriptors that one with `<…>` stands for (BIP 389), in the order of the numbers; itself alone where it has none.
    public var branches: [Descriptor] {
        guard sources.count > 1 else { return [self] }
        return sources.enumerated().map { number, source in
            Descriptor(parsed.map { $0.branch(number) }, [source], networks)
        }
    }

    /// The scriptPubKeys at an index below 2³¹: one, of `combo` two or four; of a descriptor with `<…>` those of its branches,
    /// one after the other. Without `/*` they are the same for each index.
    public func scripts(at index: UInt32) throws(DescriptorError) -> [[UInt8]] {
        try derived(at: index).flatMap(\.scripts)
    }

    /// What Bitcoin Core's `scantxoutset` says of the outputs with these scripts (`InferDescriptor`), in the same order:
    /// descriptors without ranges, each key with its origin, and with their checksums.
    public func inferred(at index: UInt32, on network: Network) throws(DescriptorError) -> [String] {
        try derived(at: index).flatMap { $0.inferred(on: network).map(Self.withChecksum) }
    }

    /// The text, `#`, and its checksum.
    static func withChecksum(_ text: String) -> String {
        text + "#" + DescriptorChecksum.of(Array(text.utf8))
    }

    /// Of each branch.
    private func derived(at index: UInt32) throws(DescriptorError) -> [ScriptExpression<DerivedKey>] {
        guard index < 1 << 31 else { throw .index(index) }
        return try sources.map { source throws(DescriptorError) in
            try source.map { key throws(DescriptorError) in try key.key(at: index) }
        }
    }
}

extension Descriptor: Hashable {
    public static func == (a: Descriptor, b: Descriptor) -> Bool { a.text == b.text }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(text)
    }
}

extension Descriptor: CustomStringConvertible {
    /// With its checksum.
    public var description: String { Self.withChecksum(text) }
}
