/// The coins that a block takes out of shards and puts into them, as what a MuHash is made of: 32 bytes each, without any
/// multiplication yet. Nothing of a coin is there that the block both makes and spends.
public struct ShardElements: Sendable {
    /// A coin of a shard: the SHA-256 of its preimage.
    public struct Element: Sendable {
        public let shard: Int32
        public let key: Digest

        public init(shard: Int32, key: Digest) {
            (self.shard, self.key) = (shard, key)
        }
    }

    /// In the order of shards.
    public var spent: [Element] = []
    public var created: [Element] = []

    public init() {}

    /// What these do to the MuHash of a shard.
    public struct Factor: Sendable {
        public let shard: Int32
        public let muhash: MuHash
    }

    /// Multiplies what lies in some shards, each shard by itself; shards without changes are left out. The shards are
    /// those from one number up to another.
    public func factors(of shards: Range<Int32>) -> [Factor] {
        var (created, spent) = (Self.slice(created, shards), Self.slice(spent, shards))
        var factors: [Factor] = []
        while !created.isEmpty || !spent.isEmpty {
            let shard = min(created.first?.shard ?? .max, spent.first?.shard ?? .max)
            let numerator = Self.product(of: &created, shard)
            let denominator = Self.product(of: &spent, shard)
            factors.append(
                Factor(shard: shard, muhash: MuHash(numerator: numerator, denominator: denominator)))
        }
        return factors
    }

    private static func slice(_ elements: [Element], _ shards: Range<Int32>) -> ArraySlice<Element> {
        let first = elements.partitionPoint { $0.shard >= shards.lowerBound }
        return elements[first..<elements.partitionPoint { $0.shard >= shards.upperBound }]
    }

    private static func product(of elements: inout ArraySlice<Element>, _ shard: Int32) -> Num3072 {
        guard elements.first?.shard == shard, let first = elements.popFirst() else { return .one }
        var product = Num3072(hashing: first.key)
        while elements.first?.shard == shard, let element = elements.popFirst() {
            product.multiply(by: Num3072(hashing: element.key))
        }
        return product
    }

    /// What all of it does to the MuHash of the set.
    public func total() -> MuHash {
        var total = MuHash()
        for element in created { total.insert(Num3072(hashing: element.key)) }
        for element in spent { total.remove(Num3072(hashing: element.key)) }
        return total
    }
}

extension Array {
    /// The place of the first element that is `isAbove`, which all behind it must be too; the count if none is.
    @inline(__always)
    fileprivate func partitionPoint(_ isAbove: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isAbove(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
