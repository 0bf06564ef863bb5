/// What one block does to the set, net of what it creates and spends itself; worked out from the block and its undo
/// record alone, so that any number of blocks can be worked on at once.
///
/// One a worker: its buffers are filled again by the next block.
public struct BlockChanges: ~Copyable {
    private struct Created {
        var txid: Digest
        var index: UInt32
        var code: UInt32
        var shard: Int32
        var output: Int32
        /// In `createdKeys`.
        var key: Int32
    }

    private struct Spent {
        var outpoint: Outpoint
        var shard: Int32
        /// In `spentKeys`.
        var key: Int32
    }

    /// What the block adds to the running values of the statement.
    public struct Totals: Sendable {
        public var header: BlockHeader
        /// Coins created less coins spent.
        public var coins: Int64 = 0
        /// Satoshi created less satoshi spent.
        public var amount: Int64 = 0
        public var patchRoot = Digest.zero
    }

    private var transactions = BlockTransactions()
    private var byTxid: [Int32] = []
    private var isSpentHere: [Bool] = []
    /// Of each input, the output of the same block that it spends; -1 where an earlier block made the coin.
    private var ownOutputs: [Int32] = []
    private var created: [Created] = []
    private var spent: [Spent] = []
    /// Of each coin, what stands for it in a MuHash, in the order in which coins were met.
    private var createdKeys: [Digest] = []
    private var spentKeys: [Digest] = []
    private var script = ByteBuffer()
    private var sections = ByteBuffer(capacity: 1 << 20)
    /// The canonical bytes of the patch of the block that was worked on last.
    public private(set) var patch = ByteBuffer(capacity: 1 << 20)
    /// Its index.
    public private(set) var index = PatchIndex([])
    /// The coins of that block without those that it creates and spends itself; none without `hasElements`.
    public private(set) var marks = CoinMarks()
    /// The same coins, for the MuHash of each shard.
    public private(set) var elements = ShardElements()

    private let hasElements: Bool

    /// Without `hasElements` nothing of a block's coins is hashed, which saves time where the patch alone is wanted.
    public init(hasElements: Bool = true) {
        self.hasElements = hasElements
    }

    /// Works out the changes of a block.
    ///
    /// - Parameters:
    ///   - block: the whole block, header first.
    ///   - undo: its undo record without the checksum; empty for the genesis block.
    public mutating func process(
        block: UnsafeRawBufferPointer, undo: UnsafeRawBufferPointer, height: Int, network: Network,
        parameters: TreeParameters
    ) throws(BlockError) -> Totals {
        created.removeAll(keepingCapacity: true)
        spent.removeAll(keepingCapacity: true)
        createdKeys.removeAll(keepingCapacity: true)
        spentKeys.removeAll(keepingCapacity: true)
        (marks, elements) = (CoinMarks(), ShardElements())
        var totals: Totals
        do throws(ParseError) {
            totals = Totals(header: try transactions.parse(block))
        } catch {
            throw .block(error)
        }
        // The genesis coinbase cannot be spent and is not in Bitcoin Core's set.
        if height > 0 {
            sortTransactions()
            do throws(ParseError) {
                try findOwnSpends()
            } catch {
                throw .block(error)
            }
            do throws(ParseError) {
                try gatherSpent(
                    block, undo, height: height, subsidy: network.subsidy(at: height), into: &totals,
                    parameters: parameters)
            } catch {
                throw .undo(error)
            }
            for i in spent.indices.dropFirst() where spent[i].outpoint == spent[i - 1].outpoint {
                throw .block(ParseError(.malformed("spends \(spent[i].outpoint) twice"), at: 0))
            }
            gatherCreated(
                block, height: height,
                skipCoinbase: network.neverHasCoinbase(height: height, block: totals.header.hash),
                into: &totals, parameters: parameters)
        }
        if hasElements {
            elements.created = created.map {
                ShardElements.Element(shard: $0.shard, key: createdKeys[Int($0.key)])
            }
            elements.spent = spent.map { ShardElements.Element(shard: $0.shard, key: spentKeys[Int($0.key)]) }
        }
        totals.patchRoot = encodePatch(block, parameters)
        return totals
    }

    private mutating func sortTransactions() {
        byTxid.removeAll(keepingCapacity: true)
        byTxid.append(contentsOf: 0..<Int32(transactions.count))
        transactions.txids.withUnsafeBufferPointer { txids in
            byTxid.sort { txids[Int($0)] < txids[Int($1)] }
        }
        isSpentHere.removeAll(keepingCapacity: true)
        isSpentHere.append(contentsOf: repeatElement(false, count: transactions.outputs.count))
    }

    /// The place of the transaction of this block with this txid.
    private func ownTransaction(_ txid: Digest) -> Int? {
        var low = 0
        var high = byTxid.count
        while low < high {
            let middle = (low + high) / 2
            if transactions.txids[Int(byTxid[middle])] < txid { low = middle + 1 } else { high = middle }
        }
        guard low < byTxid.count else { return nil }
        let transaction = Int(byTxid[low])
        return transactions.txids[transaction] == txid ? transaction : nil
    }

    /// Finds what the block creates and spends itself. An input of it can name only an output that is there, of a
    /// transaction before its own, and that no other input has spent (`CCoinsViewCache::HaveInputs`).
    private mutating func findOwnSpends() throws(ParseError) {
        ownOutputs.removeAll(keepingCapacity: true)
        ownOutputs.append(contentsOf: repeatElement(-1, count: transactions.inputs.count))
        for transaction in 1..<max(transactions.count, 1) {
            for input in transactions.firstInput[transaction]..<transactions.firstInput[transaction + 1] {
                let outpoint = transactions.inputs[input]
                guard let creator = ownTransaction(outpoint.txid) else { continue }
                let output = transactions.firstOutput[creator] + Int(outpoint.index)
                guard creator < transaction, output < transactions.firstOutput[creator + 1],
                    !isSpentHere[output]
                else {
                    throw ParseError(
                        .malformed("spends \(outpoint), which its own transactions do not leave to spend"),
                        at: 0)
                }
                isSpentHere[output] = true
                ownOutputs[input] = Int32(output)
            }
        }
    }

    /// - Parameter subsidy: what the miner may take besides the fees, in satoshi.
    private mutating func gatherSpent(
        _ block: UnsafeRawBufferPointer, _ undo: UnsafeRawBufferPointer, height: Int, subsidy: UInt64,
        into totals: inout Totals, parameters: TreeParameters
    ) throws(ParseError) {
        var coins = try SpentCoins(undo, transactions: transactions.count)
        var fees: UInt64 = 0
        for transaction in 1..<max(transactions.count, 1) {
            let inputs = transactions.firstInput[transaction]..<transactions.firstInput[transaction + 1]
            try coins.beginTransaction(inputs: inputs.count)
            var paid: UInt64 = 0
            for input in inputs {
                let start = coins.offset
                let coin = try coins.next()
                paid += coin.amount
                // `CheckTxInputs`, bad-txns-inputvalues-outofrange.
                guard paid <= Amount.most else { throw ParseError(.outOfRange("an amount"), at: 0) }
                let outpoint = transactions.inputs[input]
                guard ScriptCompression.decompress(coin.script, into: &script) else {
                    throw ParseError(
                        .malformed("names a public key that is no point of the curve"), at: start)
                }
                if ownOutputs[input] >= 0 {
                    try check(coin, outpoint, input, block, height: height, at: start)
                    continue
                }
                let key = Int32(truncatingIfNeeded: spentKeys.count)
                if hasElements {
                    let hash = SHA256.hash(
                        coin: outpoint, code: coin.code, amount: coin.amount, script: script.bytes)
                    spentKeys.append(hash)
                    marks.spent.append(CoinMark(outpoint, hash: hash))
                }
                totals.coins -= 1
                totals.amount -= Int64(coin.amount)
                guard -totals.amount <= Int64(Amount.most) else {
                    throw ParseError(.malformed("spends more than there can be"), at: 0)
                }
                spent.append(
                    Spent(outpoint: outpoint, shard: Int32(parameters.shard(of: script.bytes)), key: key))
            }
            // `CheckTxInputs`, bad-txns-in-belowout.
            let made = transactions.amounts[transaction]
            guard made <= paid else {
                throw ParseError(
                    .malformed(
                        "says that transaction \(transaction) spends \(paid) satoshi, but its outputs come to \(made)"
                    ),
                    at: 0)
            }
            fees += paid - made
            guard fees <= Amount.most else { throw ParseError(.outOfRange("the fees"), at: 0) }
        }
        try coins.finish()
        // `ConnectBlock`, bad-cb-amount.
        guard transactions.amounts[0] <= subsidy + fees else {
            throw ParseError(
                .malformed(
                    "leaves fees of \(fees) satoshi, so the miner may take \(subsidy + fees), but takes "
                        + "\(transactions.amounts[0])"), at: 0)
        }
        spent.sort { $0.shard == $1.shard ? $0.outpoint < $1.outpoint : $0.shard < $1.shard }
    }

    /// Holds a coin of the undo record, its script decompressed, to the output of the same block that was spent.
    private func check(
        _ coin: SpentCoins.Coin, _ outpoint: Outpoint, _ input: Int, _ block: UnsafeRawBufferPointer,
        height: Int, at start: Int
    ) throws(ParseError) {
        let output = transactions.outputs[Int(ownOutputs[input])]
        let own = Self.script(of: output, in: block)
        let isCoinbase = Int(ownOutputs[input]) < transactions.firstOutput[1]
        let code = UInt32(height) << 1 | (isCoinbase ? 1 : 0)
        guard coin.code == code, coin.amount == output.amount, script.bytes.elementsEqual(own) else {
            let claimed = PlainCoin(code: coin.code, amount: coin.amount, script: script.bytes)
            let made = PlainCoin(code: code, amount: output.amount, script: own)
            throw ParseError(
                .malformed(
                    "says of \(outpoint), which the block itself makes and spends, that it has \(claimed); the block "
                        + "gives it \(made)"),
                at: start)
        }
    }

    private mutating func gatherCreated(
        _ block: UnsafeRawBufferPointer, height: Int, skipCoinbase: Bool, into totals: inout Totals,
        parameters: TreeParameters
    ) {
        for transaction in byTxid {
            if transaction == 0, skipCoinbase { continue }
            let txid = transactions.txids[Int(transaction)]
            let code = UInt32(height) << 1 | (transaction == 0 ? 1 : 0)
            let first = transactions.firstOutput[Int(transaction)]
            for output in first..<transactions.firstOutput[Int(transaction) + 1] where !isSpentHere[output] {
                let out = transactions.outputs[output]
                let script = Self.script(of: out, in: block)
                if ScriptCompression.isUnspendable(script) { continue }
                let index = UInt32(output - first)
                let key = Int32(truncatingIfNeeded: createdKeys.count)
                if hasElements {
                    let outpoint = Outpoint(txid: txid, index: index)
                    let hash = SHA256.hash(coin: outpoint, code: code, amount: out.amount, script: script)
                    createdKeys.append(hash)
                    marks.created.append(CoinMark(outpoint, hash: hash))
                }
                totals.coins += 1
                totals.amount += Int64(out.amount)
                created.append(
                    Created(
                        txid: txid, index: index, code: code, shard: Int32(parameters.shard(of: script)),
                        output: Int32(output), key: key))
            }
        }
        // Within a shard they must stay as they come: ordered by txid and index.
        created.sort {
            if $0.shard != $1.shard { return $0.shard < $1.shard }
            return $0.txid == $1.txid ? $0.index < $1.index : $0.txid < $1.txid
        }
    }

    private static func script(
        of output: BlockTransactions.Output, in block: UnsafeRawBufferPointer
    ) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            rebasing: block[output.scriptOffset..<output.scriptOffset + output.scriptLength])
    }

    /// Writes the patch and gives its root.
    private mutating func encodePatch(
        _ block: UnsafeRawBufferPointer, _ parameters: TreeParameters
    ) -> Digest {
        let shards = parameters.shards
        sections.removeAll()
        var entries: [PatchIndex.Entry] = []
        entries.reserveCapacity(shards)
        var nextSpent = 0
        var nextCreated = 0
        for shard in 0..<Int32(shards) {
            let start = sections.count
            let spentEnd = spent[nextSpent...].endOfRun { $0.shard == shard }
            let createdEnd = created[nextCreated...].endOfRun { $0.shard == shard }
            if spentEnd == nextSpent, createdEnd == nextCreated {
                sections.append(0 as UInt8)
                entries.append(.empty)
                continue
            }
            sections.appendSpent(spent[nextSpent..<spentEnd], \.outpoint)
            encodeCreated(created[nextCreated..<createdEnd], block)
            (nextSpent, nextCreated) = (spentEnd, createdEnd)
            let section = UnsafeRawBufferPointer(rebasing: sections.bytes[start...])
            entries.append(PatchIndex.Entry(length: UInt32(section.count), digest: SHA256.hash(section)))
        }
        index = PatchIndex(entries)
        patch.removeAll()
        index.append(to: &patch)
        patch.append(sections.bytes)
        return index.root
    }

    private mutating func encodeCreated(_ created: ArraySlice<Created>, _ block: UnsafeRawBufferPointer) {
        var at = created.startIndex
        while at < created.endIndex {
            let txid = created[at].txid
            let end = created[at...].endOfRun { $0.txid == txid }
            sections.append(txid)
            sections.appendCompactSize(UInt64(end - at))
            for coin in created[at..<end] {
                let output = transactions.outputs[Int(coin.output)]
                sections.appendCoin(
                    index: coin.index, code: coin.code, amount: output.amount,
                    script: Self.script(of: output, in: block))
            }
            at = end
        }
    }
}

extension ByteBuffer {
    /// Appends the spent outpoints of a section, which come in its order: the number of groups, then each group's txid,
    /// count and indexes.
    mutating func appendSpent<Spent>(_ spent: ArraySlice<Spent>, _ outpoint: (Spent) -> Outpoint) {
        var groups: UInt64 = 0
        var at = spent.startIndex
        while at < spent.endIndex {
            let txid = outpoint(spent[at]).txid
            at = spent[at...].endOfRun { outpoint($0).txid == txid }
            groups += 1
        }
        appendCompactSize(groups)
        at = spent.startIndex
        while at < spent.endIndex {
            let txid = outpoint(spent[at]).txid
            let end = spent[at...].endOfRun { outpoint($0).txid == txid }
            append(txid)
            appendCompactSize(UInt64(end - at))
            for coin in spent[at..<end] { appendCompactSize(UInt64(outpoint(coin).index)) }
            at = end
        }
    }
}

/// A block whose changes cannot be worked out, and which of its two records is to blame.
public enum BlockError: Error, Equatable, Sendable {
    case block(ParseError)
    case undo(ParseError)
}

extension ArraySlice {
    /// The index behind the elements at the front that belong.
    @inline(__always)
    fileprivate func endOfRun(_ belongs: (Element) -> Bool) -> Int {
        var end = startIndex
        while end < endIndex, belongs(self[end]) { end += 1 }
        return end
    }
}
