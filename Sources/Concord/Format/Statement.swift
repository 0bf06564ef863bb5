/// What authorities agree on: the set after one block, as text (FORMAT.md, «Statements»).
public struct Statement: Hashable, Sendable {
    public var network: Network
    public var parameters: TreeParameters
    public var height: Int
    /// Hashes of the block and of the one before it, internal byte order; the genesis block's parent is zero.
    public var block: Digest
    public var parent: Digest
    public var coins: UInt64
    /// In satoshi.
    public var amount: UInt64
    /// SHA-256 of the MuHash3072 of the set; prints reversed, as `gettxoutsetinfo muhash` does.
    public var muhash: Digest
    /// The Merkle root over the MuHash of every shard.
    public var muhashes: Digest
    public var patchRoot: Digest
    /// The roots of the deltas that end with this block, one for each of `TreeParameters.deltaSpans`.
    public var deltas: [Digest]
    /// The digests of the statements of ancestors, one for each of `TreeParameters.historySpans`.
    public var history: [Digest]
    /// At epoch heights only.
    public var snapshotRoot: Digest?

    public init(
        network: Network, parameters: TreeParameters, height: Int, block: Digest, parent: Digest,
        coins: UInt64, amount: UInt64, muhash: Digest, muhashes: Digest, patchRoot: Digest, deltas: [Digest],
        history: [Digest], snapshotRoot: Digest?
    ) {
        self.network = network
        self.parameters = parameters
        self.height = height
        self.block = block
        self.parent = parent
        self.coins = coins
        self.amount = amount
        self.muhash = muhash
        self.muhashes = muhashes
        self.patchRoot = patchRoot
        self.deltas = deltas
        self.history = history
        self.snapshotRoot = snapshotRoot
    }

    public var blockID: BlockID { BlockID(height: height, hash: block) }
    public var epochStart: Int { parameters.epochStart(of: height) }
    public var isEpochStart: Bool { height == epochStart }

    /// The root of the patch, if `span` is 1, or of the delta of so many blocks that ends with this one; nil where none does.
    public func root(ofSpan span: Int) -> Digest? {
        if span == 1 { return patchRoot }
        return zip(parameters.deltaSpans(at: height), deltas).first { $0.0 == span }?.1
    }

    /// The digest of the statement so many blocks below; nil where `history` names none.
    public func ancestor(_ span: Int) -> Digest? {
        zip(parameters.historySpans(at: height), history).first { $0.0 == span }?.1
    }

    /// The exact text.
    public var text: String {
        """
        concord/1 statement
        network: \(network.rawValue)
        shards: \(parameters.shards)
        epoch: \(parameters.epoch)
        height: \(height)
        block: \(block.reversedHex)
        parent: \(parent.reversedHex)
        coins: \(coins)
        amount: \(amount)
        muhash: \(muhash.reversedHex)
        muhashes: \(muhashes.hex)
        patch: \(patchRoot.hex)
        deltas: \(Self.list(parameters.deltaSpans(at: height), deltas))
        history: \(Self.list(parameters.historySpans(at: height), history))
        snapshot: \(snapshotRoot?.hex ?? "none")

        """
    }

    private static func list(_ spans: [Int], _ digests: [Digest]) -> String {
        spans.isEmpty ? "none" : zip(spans, digests).map { "\($0):\($1.hex)" }.joined(separator: " ")
    }

    /// The digests of a list that has exactly these spans; nil for any other.
    private static func digests(_ text: String, _ spans: [Int]) -> [Digest]? {
        let digests = text.split(separator: " ").compactMap { item in
            item.lastIndex(of: ":").flatMap { Digest(hex: item[item.index(after: $0)...]) }
        }
        guard digests.count == spans.count, list(spans, digests) == text else { return nil }
        return digests
    }

    /// SHA-256 of the text.
    public var digest: Digest { SHA256.hash(text) }

    /// What is said of a statement without `muhashes`.
    public static let earlierFormat =
        "is of the format as it was before statements had `muhashes`: whoever publishes it has to begin a new tree, with a "
        + "new key"

    /// Reads the statement's lines; whatever follows stays in `lines`.
    public init(parsing lines: inout FieldLines) throws(ParseError) {
        try lines.expect("concord/1 statement")
        network = try lines.value("network") { Network(rawValue: $0) }
        parameters = try lines.parameters()
        height = try lines.value("height", FieldLines.height)
        block = try lines.value("block") { Digest(reversedHex: $0) }
        parent = try lines.value("parent") { Digest(reversedHex: $0) }
        coins = try lines.value("coins") { FieldLines.decimal($0) }
        amount = try lines.value("amount") { FieldLines.decimal($0, atMost: Amount.most) }
        muhash = try lines.value("muhash") { Digest(reversedHex: $0) }
        guard !lines.isNext("patch") else {
            throw ParseError(.malformed(Self.earlierFormat), at: lines.offset)
        }
        muhashes = try lines.value("muhashes") { Digest(hex: $0) }
        patchRoot = try lines.value("patch") { Digest(hex: $0) }
        let (deltaSpans, historySpans) = (
            parameters.deltaSpans(at: height), parameters.historySpans(at: height)
        )
        deltas = try lines.value("deltas") { Self.digests($0, deltaSpans) }
        history = try lines.value("history") { Self.digests($0, historySpans) }
        let start = lines.offset
        let snapshot = try lines.value("snapshot")
        snapshotRoot = Digest(hex: snapshot)
        guard snapshotRoot != nil || snapshot == "none" else {
            throw ParseError(.malformed("has a wrong value in the field «snapshot»"), at: start)
        }
        guard isEpochStart == (snapshotRoot != nil) else {
            throw ParseError(.malformed("has a snapshot root where none belongs, or lacks one"), at: start)
        }
    }

    /// The text of a field by its name; empty if there is none.
    public func value(of field: String) -> String {
        let line = text.split(separator: "\n").first { $0.hasPrefix(field + ": ") }
        return line.map { String($0.dropFirst(field.count + 2)) } ?? ""
    }

    /// The names of the fields in which two statements differ, in their order.
    public func differences(from other: Statement) -> [String] {
        zip(text.split(separator: "\n"), other.text.split(separator: "\n")).compactMap { mine, theirs in
            mine == theirs ? nil : mine.prefix { $0 != ":" }.description
        }
    }
}
