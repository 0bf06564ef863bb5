/// The changes that several blocks make to one shard, put in order so that they can be merged with it.
public struct ShardChanges: ~Copyable {
    @usableFromInline struct Change {
        var outpoint: Outpoint
        var height: Int32
        /// What is behind the coin's index; nil where the coin is spent.
        var body: UnsafeRawBufferPointer?
    }

    private var changes: [Change] = []
    private var next = 0

    public init() {}

    public mutating func removeAll() {
        changes.removeAll(keepingCapacity: true)
        next = 0
    }

    public var isEmpty: Bool { changes.isEmpty }

    /// Takes in one block's section; blocks come in the order of their heights. The bytes must outlive the merge.
    public mutating func add(_ section: UnsafeRawBufferPointer, height: Int) throws(ParseError) {
        var section = try PatchSection(section)
        while let outpoint = try section.nextSpent() {
            changes.append(Change(outpoint: outpoint, height: Int32(height), body: nil))
        }
        while let (outpoint, coin) = try section.nextCreated() {
            changes.append(Change(outpoint: outpoint, height: Int32(height), body: coin.body))
        }
    }

    /// Puts the changes in the order of a shard; of one outpoint, in the order of heights, spending first.
    public mutating func sort() {
        changes.sort { a, b in
            if a.outpoint.txid != b.outpoint.txid { return a.outpoint.txid < b.outpoint.txid }
            if a.outpoint.index != b.outpoint.index { return a.outpoint.index < b.outpoint.index }
            if a.height != b.height { return a.height < b.height }
            return a.body == nil && b.body != nil
        }
        next = 0
    }

    /// The outpoint that changes next.
    public var nextOutpoint: Outpoint? { next < changes.count ? changes[next].outpoint : nil }

    /// A change that was applied.
    public struct Applied {
        public let height: Int
        public let isSpent: Bool
        /// The coin that is spent, or created, behind its index.
        public let body: UnsafeRawBufferPointer
    }

    /// Applies all changes of the next outpoint to what the shard holds for it, nil for nothing, and gives what is
    /// there afterwards.
    ///
    /// - Parameter visit: is told of each change.
    public mutating func apply(
        to before: UnsafeRawBufferPointer?, _ visit: (Outpoint, Applied) throws -> Void
    ) throws -> UnsafeRawBufferPointer? {
        let first = next
        let after = try apply(to: before)
        var coin = before
        for change in changes[first..<next] {
            if let body = change.body ?? coin {
                try visit(
                    change.outpoint,
                    Applied(height: Int(change.height), isSpent: change.body == nil, body: body))
            }
            coin = change.body
        }
        return after
    }

    /// The same without anybody who is told.
    public mutating func apply(to before: UnsafeRawBufferPointer?) throws(ChangeError)
        -> UnsafeRawBufferPointer?
    {
        let outpoint = changes[next].outpoint
        var coin = before
        while next < changes.count, changes[next].outpoint == outpoint {
            let change = changes[next]
            guard (change.body == nil) == (coin != nil) else {
                throw ChangeError(outpoint: outpoint, height: Int(change.height), isSpend: change.body == nil)
            }
            coin = change.body
            next += 1
        }
        return coin
    }

    /// Uses the changes up, and appends what they come to as one section: what was there before and is not any more, or
    /// is another coin, then what is there afterwards and was not, or was another coin. They must be sorted.
    public mutating func appendNet(to out: inout ByteBuffer) throws(ChangeError) {
        var spent: [Outpoint] = []
        let first = next
        while let outpoint = nextOutpoint {
            if changes[next].body == nil { spent.append(outpoint) }
            _ = try applyToAny()
        }
        out.appendSpent(spent[...], \.self)
        next = first
        var groups = GroupEncoder()
        while let outpoint = nextOutpoint {
            guard let body = try applyToAny() else { continue }
            groups.add(txid: outpoint.txid, index: outpoint.index, body: body, to: &out)
        }
        groups.finishGroup(to: &out)
    }

    /// Applies all changes of the next outpoint to whatever the first of them needs.
    private mutating func applyToAny() throws(ChangeError) -> UnsafeRawBufferPointer? {
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        return try apply(to: changes[next].body == nil ? nothing : nil)
    }
}

/// A patch that does not fit the set it is applied to.
public struct ChangeError: Error, Equatable, Sendable, CustomStringConvertible {
    public let outpoint: Outpoint
    public let height: Int
    public let isSpend: Bool

    public var description: String {
        isSpend
            ? "the patch of height \(height) spends \(outpoint), which is not there"
            : "the patch of height \(height) creates \(outpoint), which is there already"
    }
}
