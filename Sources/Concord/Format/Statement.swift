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
    public var patchRoot: Digest
    public var history: Digest
    /// At epoch heights only.
    public var snapshotRoot: Digest?

    public init(
        network: Network, parameters: TreeParameters, height: Int, block: Digest, parent: Digest,
        coins: UInt64,
        amount: UInt64, muhash: Digest, patchRoot: Digest, history: Digest, snapshotRoot: Digest?
    ) {
        self.network = network
        self.parameters = parameters
        self.height = height
        self.block = block
        self.parent = parent
        self.coins = coins
        self.amount = amount
        self.muhash = muhash
        self.patchRoot = patchRoot
        self.history = history
        self.snapshotRoot = snapshotRoot
    }

    public var blockID: BlockID { BlockID(height: height, hash: block) }
    public var epochStart: Int { parameters.epochStart(of: height) }
    public var isEpochStart: Bool { height == epochStart }

    /// SHA256(history before ‖ block hash ‖ patch root): what `history` is at every height that is no epoch height.
    public static func history(after history: Digest, block: Digest, patchRoot: Digest) -> Digest {
        var sha = SHA256()
        sha.update(history)
        sha.update(block)
        sha.update(patchRoot)
        return sha.finish()
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
        patch: \(patchRoot.hex)
        history: \(history.hex)
        snapshot: \(snapshotRoot?.hex ?? "none")

        """
    }

    /// SHA-256 of the text.
    public var digest: Digest { SHA256.hash(text) }

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
        patchRoot = try lines.value("patch") { Digest(hex: $0) }
        history = try lines.value("history") { Digest(hex: $0) }
        let start = lines.offset
        let snapshot = try lines.value("snapshot")
        snapshotRoot = Digest(hex: snapshot)
        guard snapshotRoot != nil || snapshot == "none" else {
            throw ParseError(.malformed("has a wrong value in the field «snapshot»"), at: start)
        }
        guard isEpochStart == (snapshotRoot != nil), snapshotRoot == nil || history == snapshotRoot else {
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
