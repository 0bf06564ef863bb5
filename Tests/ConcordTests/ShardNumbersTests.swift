import TestSupport
import Testing

@testable import Concord

/// MuHashes of shards from block to block, against one MuHash for each, worked out anew.
@Suite struct ShardNumbersTests {
    @Test(arguments: [1, 4, 16]) func blocksAgainstSetsThatAreHashedAnew(shards: Int) throws {
        var random = SeededRandom()
        let parameters = TreeParameters(shards: shards, epoch: 10)
        var sets = [[Digest]](repeating: [], count: shards)
        var blocks: [ShardElements] = []
        var expected: [[Digest]] = []
        var totals: [Digest] = []
        for _ in 0..<12 {
            var block = ShardElements()
            for shard in 0..<shards where Bool.random(using: &random) {
                while !sets[shard].isEmpty, Bool.random(using: &random) {
                    block.spent.append(.init(shard: Int32(shard), key: sets[shard].removeLast()))
                }
                for _ in 0..<Int.random(in: 0...5, using: &random) {
                    let key = Digest(random.bytes(32)) ?? .zero
                    sets[shard].insert(key, at: 0)
                    block.created.append(.init(shard: Int32(shard), key: key))
                }
            }
            blocks.append(block)
            let numbers = sets.map { set in
                set.reduce(into: Num3072.one) { $0.multiply(by: Num3072(hashing: $1)) }
            }
            expected.append(numbers.map(\.digest))
            totals.append(numbers.reduce(into: Num3072.one) { $0.multiply(by: $1) }.digest)
        }
        var numbers = ShardNumbers([Num3072](repeating: .one, count: shards))
        let results = numbers.apply(
            blocks.map { block in
                block.factors(of: 0..<Int32(shards)).map {
                    ShardNumbers.Change(place: Int($0.shard), muhash: $0.muhash)
                }
            })
        var digests = [Digest](repeating: MuHash().digest(), count: shards)
        var total = Num3072.one
        for (i, result) in results.enumerated() {
            for (place, digest) in result.digests { digests[place] = digest }
            total.multiply(by: result.factor)
            #expect(digests == expected[i] && total.digest == totals[i], "block \(i), seed \(random.seed)")
        }
        #expect(numbers.numbers.map(\.digest) == expected.last)
        // Shards by themselves, and the block as a whole, come to the same.
        for block in blocks {
            let all = block.factors(of: 0..<Int32(shards))
            let parts = (0..<Int32(shards)).flatMap { block.factors(of: $0..<$0 + 1) }
            #expect(all.map(\.shard) == parts.map(\.shard))
            var product = MuHash()
            for factor in all { product.merge(factor.muhash) }
            #expect(product.digest() == block.total().digest())
        }
        // The file.
        let muhashes = ShardMuHashes(digests, parameters)
        let file = bytes { muhashes.append(to: &$0) }
        #expect(file.count == ShardMuHashes.size(parameters))
        #expect(try ShardMuHashes(parsing: file, parameters) == muhashes)
        #expect(muhashes.root.bytes == plainMerkleRoot(digests.map(\.bytes)))
        for place in file.indices {
            var spoilt = file
            spoilt[place] ^= 1
            #expect(throws: ParseError.self) { try ShardMuHashes(parsing: spoilt, parameters) }
        }
        for bad in [Array(file.dropLast()), file + [0], []] {
            #expect(throws: ParseError.self) { try ShardMuHashes(parsing: bad, parameters) }
        }
    }
}
