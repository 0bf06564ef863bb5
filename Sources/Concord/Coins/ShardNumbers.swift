/// The MuHash number of some shards, and of all of them together, from block to block.
///
/// A number leaves as it came, by multiplying with an inverse. One inverse costs as much as some 3,100 multiplications, so
/// those of a whole batch are worked out as one (Montgomery's trick).
public struct ShardNumbers: Sendable {
    /// What a block does to one of the shards, by its place among them.
    public struct Change: Sendable {
        public let place: Int
        public let muhash: MuHash

        public init(place: Int, muhash: MuHash) {
            (self.place, self.muhash) = (place, muhash)
        }
    }

    /// What comes of a block.
    public struct Result: Sendable {
        /// The MuHash of every shard that changed, by its place.
        public var digests: [(place: Int, digest: Digest)] = []
        /// What the number of all these shards together is multiplied with.
        public var factor = Num3072.one
    }

    public private(set) var numbers: [Num3072]

    public init(_ numbers: [Num3072]) {
        self.numbers = numbers
    }

    /// Applies the changes of blocks, in order.
    public mutating func apply(_ blocks: [[Change]]) -> [Result] {
        // The product of the denominators of each block, and before each of its denominators.
        var products: [Num3072] = []
        var all = Num3072.one
        for block in blocks {
            for change in block where change.muhash.denominator != .one {
                products.append(all)
                all.multiply(by: change.muhash.denominator)
            }
        }
        var inverses = [Num3072](repeating: .one, count: products.count)
        var results = [Result](repeating: Result(), count: blocks.count)
        if !products.isEmpty {
            var inverse = all.inverse()
            var at = products.count
            for block in blocks.indices.reversed() {
                let end = at
                // One over the product of all denominators up to this block's last.
                var factor = inverse
                for change in blocks[block].reversed() where change.muhash.denominator != .one {
                    at -= 1
                    inverses[at] = inverse
                    inverses[at].multiply(by: products[at])
                    inverse.multiply(by: change.muhash.denominator)
                }
                guard at < end else { continue }
                factor.multiply(by: products[at])
                results[block].factor = factor
            }
        }
        var at = 0
        for (i, block) in blocks.enumerated() {
            results[i].digests.reserveCapacity(block.count)
            for change in block {
                numbers[change.place].multiply(by: change.muhash.numerator)
                results[i].factor.multiply(by: change.muhash.numerator)
                if change.muhash.denominator != .one {
                    numbers[change.place].multiply(by: inverses[at])
                    at += 1
                }
                results[i].digests.append((change.place, numbers[change.place].digest))
            }
        }
        return results
    }
}
