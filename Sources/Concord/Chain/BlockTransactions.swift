/// The transactions of one block, taken apart into flat arrays: what they spend, what they create, their txids.
///
/// Kept and filled again for the next block, so that parsing allocates nothing once the arrays have grown.
public struct BlockTransactions {
    /// An output where it lies in the block.
    public struct Output {
        /// In satoshi.
        public let amount: UInt64
        /// Bytes from the start of the block.
        public let scriptOffset: Int
        public let scriptLength: Int
    }

    /// One entry a transaction, the coinbase first; internal byte order.
    public private(set) var txids: [Digest] = []
    /// The outpoints that are spent, transaction by transaction, without the coinbase's.
    public private(set) var inputs: [Outpoint] = []
    /// The outputs of all transactions, one after the other.
    public private(set) var outputs: [Output] = []
    /// Where each transaction's inputs begin in `inputs`; one more at the end.
    public private(set) var firstInput: [Int] = []
    /// Where each transaction's outputs begin in `outputs`; one more at the end.
    public private(set) var firstOutput: [Int] = []

    /// What the outputs of each transaction come to, in satoshi.
    public private(set) var amounts: [UInt64] = []

    public init() {}

    public var count: Int { txids.count }

    /// Parses a whole block, header included (Bitcoin Core's `CBlock`), and checks the transactions against the
    /// header's Merkle root, so that a block that was written in part is not taken for a whole one.
    public mutating func parse(_ block: UnsafeRawBufferPointer) throws(ParseError) -> BlockHeader {
        txids.removeAll(keepingCapacity: true)
        inputs.removeAll(keepingCapacity: true)
        outputs.removeAll(keepingCapacity: true)
        amounts.removeAll(keepingCapacity: true)
        firstInput.removeAll(keepingCapacity: true)
        firstOutput.removeAll(keepingCapacity: true)

        var cursor = ByteCursor(block)
        let header = try BlockHeader(parsing: &cursor)
        let count = try cursor.readCount(ofAtLeast: 60)
        guard count > 0 else {
            throw ParseError(.outOfRange("the number of transactions"), at: BlockHeader.size)
        }
        for i in 0..<count {
            firstInput.append(inputs.count)
            firstOutput.append(outputs.count)
            txids.append(try parseTransaction(&cursor, in: block, isCoinbase: i == 0))
        }
        firstInput.append(inputs.count)
        firstOutput.append(outputs.count)
        try cursor.finish()
        guard let root = Self.merkleRoot(of: txids) else {
            throw ParseError(.malformed("has transactions twice"), at: 36)
        }
        guard root == header.merkleRoot else {
            throw ParseError(.malformed("has transactions that its header does not commit to"), at: 36)
        }
        return header
    }

    /// Parses a transaction (`UnserializeTransaction`) and hashes it without its witness.
    private mutating func parseTransaction(
        _ cursor: inout ByteCursor, in block: UnsafeRawBufferPointer, isCoinbase: Bool
    ) throws(ParseError) -> Digest {
        let start = cursor.offset
        try cursor.skip(4)
        var bodyStart = cursor.offset
        var inputCount = try cursor.readCount(ofAtLeast: 41)
        let hasWitness = inputCount == 0
        if hasWitness {
            guard try cursor.readUInt8() == 1 else {
                throw ParseError(.malformed("has a transaction with unknown flags"), at: bodyStart)
            }
            bodyStart = cursor.offset
            inputCount = try cursor.readCount(ofAtLeast: 41)
        }
        for _ in 0..<inputCount {
            let txid = try cursor.readDigest()
            let index = try cursor.readUInt32()
            if !isCoinbase { inputs.append(Outpoint(txid: txid, index: index)) }
            try cursor.skip(try cursor.readCount(ofAtLeast: 1))
            try cursor.skip(4)
        }
        var sum: UInt64 = 0
        for _ in 0..<(try cursor.readCount(ofAtLeast: 9)) {
            let amountOffset = cursor.offset
            let amount = try cursor.readUInt64()
            // `CheckTransaction`, bad-txns-vout-toolarge and bad-txns-txouttotal-toolarge.
            guard amount <= Amount.most, sum + amount <= Amount.most else {
                throw ParseError(.outOfRange("an amount"), at: amountOffset)
            }
            sum += amount
            let length = try cursor.readCount(ofAtLeast: 1)
            outputs.append(Output(amount: amount, scriptOffset: cursor.offset, scriptLength: length))
            try cursor.skip(length)
        }
        amounts.append(sum)
        let bodyEnd = cursor.offset
        if hasWitness {
            var items = 0
            for _ in 0..<inputCount {
                let count = try cursor.readCount(ofAtLeast: 1)
                for _ in 0..<count { try cursor.skip(try cursor.readCount(ofAtLeast: 1)) }
                items += count
            }
            guard items > 0 else {
                throw ParseError(
                    .malformed("has a transaction with a witness that has nothing in it"), at: bodyEnd)
            }
        }
        let lockTime = cursor.offset
        try cursor.skip(4)
        if !hasWitness {
            return SHA256.double(UnsafeRawBufferPointer(rebasing: block[start..<cursor.offset]))
        }
        var sha = SHA256()
        sha.update(UnsafeRawBufferPointer(rebasing: block[start..<start + 4]))
        sha.update(UnsafeRawBufferPointer(rebasing: block[bodyStart..<bodyEnd]))
        sha.update(UnsafeRawBufferPointer(rebasing: block[lockTime..<lockTime + 4]))
        return sha.finishDouble()
    }

    /// Bitcoin's own Merkle root, the last hash of an odd level paired with itself (`ComputeMerkleRoot`). Nil where a
    /// pair is equal without that: the root is then also that of fewer transactions (CVE-2012-2459, `mutated`).
    static func merkleRoot(of txids: [Digest]) -> Digest? {
        var level = txids
        var count = level.count
        while count > 1 {
            for i in 0..<(count + 1) / 2 {
                if 2 * i + 1 < count, level[2 * i] == level[2 * i + 1] { return nil }
                var sha = SHA256()
                sha.update(level[2 * i])
                sha.update(level[min(2 * i + 1, count - 1)])
                level[i] = sha.finishDouble()
            }
            count = (count + 1) / 2
        }
        return level[0]
    }
}
