/// Which scripts a shard may have coins of (FORMAT.md, «Filters»): 14 bits for each, no script of the shard left out, and
/// one in 6,132 of all others in it by chance.
public struct ShardFilter: Sendable {
    /// P and M of the code.
    public static let code = GolombSet(p: 12, m: 6132)

    /// Number of scripts.
    public let count: UInt64
    /// The count, and the code.
    private let bytes: [UInt8]
    private let codeStart: Int
    private let hash: SipHash

    /// The longest filter of so many coins.
    public static func maxBytes(coins: UInt64) -> UInt64 { 2 * coins + 9 }

    /// Reads a whole filter, and checks it.
    ///
    /// - Parameters:
    ///   - block: of the snapshot.
    ///   - coins: of the shard, which has no more scripts than these.
    public init(parsing bytes: [UInt8], block: Digest, coins: UInt64) throws(ParseError) {
        guard bytes.count <= Self.maxBytes(coins: coins) else {
            throw ParseError(.outOfRange("a filter's length"), at: 0)
        }
        (count, codeStart) = try bytes.withBytes { raw throws(ParseError) in
            var cursor = ByteCursor(raw)
            let count = try cursor.readCompactSize()
            guard count <= coins else { throw ParseError(.outOfRange("the number of scripts"), at: 0) }
            let start = cursor.offset
            var reader = GolombSet.Reader(
                UnsafeRawBufferPointer(rebasing: raw[start...]), Self.code, count: count)
            do throws(ParseError) {
                while try reader.next() != nil {}
            } catch {
                throw ParseError(error.reason, at: start + error.offset)
            }
            return (count, start)
        }
        self.bytes = bytes
        hash = SipHash(keyedBy: block)
    }

    /// Whether the shard may have coins of each of these scripts; false is certain.
    public func mayHave(_ scripts: [[UInt8]]) -> [Bool] {
        let wanted = scripts.indices.map { i in
            (value: Self.code.value(scripts[i].withBytes(hash.hash), of: count), place: i)
        }.sorted { $0.value < $1.value }
        var found = [Bool](repeating: false, count: scripts.count)
        bytes.withBytes { raw in
            var reader = GolombSet.Reader(
                UnsafeRawBufferPointer(rebasing: raw[codeStart...]), Self.code, count: count)
            var next = 0
            while next < wanted.count, let value = try? reader.next() {
                while next < wanted.count, wanted[next].value < value { next += 1 }
                var same = next
                while same < wanted.count, wanted[same].value == value {
                    found[wanted[same].place] = true
                    same += 1
                }
            }
        }
        return found
    }
}

extension ShardFilter {
    /// Gathers the scripts of a shard's coins: 16 bytes for each that is another one.
    public struct Builder: ~Copyable {
        /// The hash that the filter is made of, and another one: of a few billion scripts two may share the first alone.
        private struct Mark: Comparable {
            let hash: UInt64
            let other: UInt64

            @inline(__always)
            static func < (a: Mark, b: Mark) -> Bool {
                a.hash == b.hash ? a.other < b.other : a.hash < b.hash
            }
        }

        private let hash: SipHash
        private let other: SipHash
        private var marks: [Mark] = []
        /// How many there may be before those that are the same are put together.
        private var room = 1 << 18

        /// - Parameter block: of the snapshot.
        public init(block: Digest) {
            hash = SipHash(keyedBy: block)
            // As good as any that is not the first.
            other = SipHash(keyedBy: SHA256.hash(block.bytes))
        }

        /// Adds the script of a coin, whole.
        public mutating func add(_ script: UnsafeRawBufferPointer) {
            marks.append(Mark(hash: hash.hash(script), other: other.hash(script)))
            if marks.count >= room { condense() }
        }

        private mutating func condense() {
            marks.sort()
            var kept = 0
            for i in marks.indices where i == 0 || marks[i] != marks[kept - 1] {
                marks[kept] = marks[i]
                kept += 1
            }
            marks.removeLast(marks.count - kept)
            room = max(room, 2 * kept)
        }

        /// Appends the filter of all scripts that were added, and begins again without any.
        public mutating func finish(to out: inout ByteBuffer) {
            condense()
            let count = UInt64(marks.count)
            out.appendCompactSize(count)
            ShardFilter.code.encode(marks.lazy.map { ShardFilter.code.value($0.hash, of: count) }, to: &out)
            marks.removeAll(keepingCapacity: true)
        }
    }
}
