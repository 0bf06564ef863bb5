import Concord
import ConcordFiles
import ConcordTree

/// The way down from two statements of one block that differ to the first coin in which they do. Of a side that is at
/// hosts only what is needed comes: the block's patch, or the manifest and one shard.
public struct DivergenceSearch {
    /// Why two statements differ.
    public enum Cause: Sendable {
        public enum Part: String, Sendable {
            case patch, delta, snapshot, muhashes
        }

        case coin(CoinDifference, in: Part)
        /// Two manifests have a shard of the same bytes, but another number of coins or bytes for it.
        case manifest(shard: Int, own: ShardContents, other: ShardContents)
        /// The data that a statement names cannot be had, or makes no sense.
        case unknown(Part, Unknown)
        /// These shards have other coins, as their MuHashes show; the block does the same to them.
        case shards([Int])
        /// Two manifests list the same shard with another filter.
        case filter(shard: Int)
        /// Block and patch are the same, and `history` is not: something before is different, or, where the
        /// statements of the block before are the same, one of these does not follow from its own.
        case history(beforeIsSame: Bool)
        /// What the block does is the same, the sums over the set are not.
        case totals

        /// Why nothing can be told.
        public enum Unknown: Sendable {
            case notThere(NotThere)
            case malformed(ParseError)
            /// They say the same in other bytes.
            case sameInOtherBytes(Part)
            /// A shard with so many bytes on one side, and so many on the other: too many to be looked at.
            case tooLarge(shard: Int, UInt64, UInt64)
        }

        /// Whether data was compared.
        var isFound: Bool {
            switch self {
            case .coin, .manifest, .filter: true
            case .shards: false
            case .unknown, .history, .totals: false
            }
        }
    }

    /// A shard that is said to be larger is not fetched to be compared: the main network's have 9 MB.
    private static let maxShardBytes: UInt64 = 1 << 30

    private let own: CommittedData
    private let other: CommittedData

    public init(_ own: CommittedData, _ other: CommittedData) {
        self.own = own
        self.other = other
    }

    /// All causes that can be told; none where the statements differ in nothing that has a cause, as `parent`.
    ///
    /// - Parameter beforeIsSame: whether both sides say the same of the block before.
    public func causes(_ mine: Statement, _ theirs: Statement, beforeIsSame: Bool) throws -> [Cause] {
        // Trees that are partitioned otherwise have nothing in common to compare.
        guard mine.parameters == theirs.parameters else { return [] }
        var causes: [Cause] = []
        for span in [1] + mine.parameters.deltaSpans(at: mine.height) where causes.isEmpty {
            guard let own = ChangeFile(mine, span: span), let other = ChangeFile(theirs, span: span),
                own.root != other.root
            else { continue }
            let part = span == 1 ? Cause.Part.patch : .delta
            causes.append(try cause(part) { try changeDifference(own, other, part, mine.parameters) })
        }
        if mine.snapshotRoot != theirs.snapshotRoot {
            causes.append(try cause(.snapshot) { try snapshotDifference(mine, theirs) })
        }
        if mine.muhashes != theirs.muhashes, !causes.contains(where: \.isFound) {
            causes.append(try cause(.muhashes) { try shardDifference(mine, theirs) })
        }
        if causes.isEmpty, mine.history != theirs.history {
            causes.append(.history(beforeIsSame: beforeIsSame))
        }
        let isSameSum =
            mine.coins == theirs.coins && mine.amount == theirs.amount && mine.muhash == theirs.muhash
        return causes.isEmpty && !isSameSum ? [.totals] : causes
    }

    /// What an authority serves, or does not, is a finding; what this machine fails to do is an error.
    private func cause(_ part: Cause.Part, _ find: () throws -> Cause) throws -> Cause {
        do {
            return try find()
        } catch let error as NotThere {
            return .unknown(part, .notThere(error))
        } catch let error as ParseError {
            return .unknown(part, .malformed(error))
        }
    }

    private func changeDifference(
        _ mine: ChangeFile, _ theirs: ChangeFile, _ part: Cause.Part, _ parameters: TreeParameters
    ) throws -> Cause {
        var bytes = ByteBuffer(capacity: 1 << 20)
        var otherBytes = ByteBuffer(capacity: 1 << 20)
        let index = try own.changes(mine, parameters, into: &bytes)
        let otherIndex = try other.changes(theirs, parameters, into: &otherBytes)
        for shard in index.entries.indices where index.entries[shard] != otherIndex.entries[shard] {
            let difference = try CoinDifference(
                shard: shard, own: UnsafeRawBufferPointer(rebasing: bytes.bytes[index.range(of: shard)]),
                other: UnsafeRawBufferPointer(rebasing: otherBytes.bytes[otherIndex.range(of: shard)]))
            if let difference { return .coin(difference, in: part) }
        }
        return .unknown(part, .sameInOtherBytes(part))
    }

    /// Two files of 33 KiB show which shards it is about.
    private func shardDifference(_ mine: Statement, _ theirs: Statement) throws -> Cause {
        let (muhashes, others) = (try own.muhashes(mine).entries, try other.muhashes(theirs).entries)
        return .shards(muhashes.indices.filter { muhashes[$0] != others[$0] })
    }

    private func snapshotDifference(_ mine: Statement, _ theirs: Statement) throws -> Cause {
        let (manifest, otherManifest) = (try own.manifest(mine), try other.manifest(theirs))
        for (shard, (line, otherLine)) in zip(manifest.shards, otherManifest.shards).enumerated()
        where line != otherLine {
            guard line.contents != otherLine.contents else { return .filter(shard: shard) }
            let (line, otherLine) = (line.contents, otherLine.contents)
            guard line.digest != otherLine.digest else {
                return .manifest(shard: shard, own: line, other: otherLine)
            }
            // The other side says how large its shard is: no more is fetched than makes sense beside one's own.
            let (least, most) = (min(line.bytes, otherLine.bytes), max(line.bytes, otherLine.bytes))
            guard most <= Self.maxShardBytes, most <= 2 * least + (16 << 20) else {
                return .unknown(.snapshot, .tooLarge(shard: shard, line.bytes, otherLine.bytes))
            }
            let difference = try CoinDifference(
                shard: shard, own.shard(shard, of: mine.blockID, manifest),
                other.shard(shard, of: theirs.blockID, otherManifest))
            if let difference { return .coin(difference, in: .snapshot) }
        }
        return .unknown(.snapshot, .sameInOtherBytes(.snapshot))
    }
}
