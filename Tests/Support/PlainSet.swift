import Concord

/// Coins in dictionaries: what a shard is, without a thought for speed or memory.
public struct PlainSet: Sendable {
    /// By txid, as a digest for its order; by index: everything behind it.
    private var coins: [Digest: [UInt64: [UInt8]]] = [:]

    public init() {}

    /// Reads a shard's canonical bytes.
    public init(shard bytes: [UInt8]) throws {
        var reader = PlainReader(bytes)
        try addCoins(from: &reader)
    }

    public mutating func add(_ txid: [UInt8], _ index: UInt64, _ body: [UInt8]) throws {
        guard let id = Digest(txid), coins[id]?[index] == nil else {
            throw TestError("the coin \(txid.hex):\(index) is there already")
        }
        coins[id, default: [:]][index] = body
    }

    public mutating func remove(_ txid: [UInt8], _ index: UInt64) throws {
        guard let id = Digest(txid), coins[id]?.removeValue(forKey: index) != nil else {
            throw TestError("the coin \(txid.hex):\(index) is not there")
        }
        if coins[id]?.isEmpty == true { coins[id] = nil }
    }

    /// Applies a patch's section for this shard.
    public mutating func apply(section bytes: [UInt8]) throws {
        var reader = PlainReader(bytes)
        for _ in 0..<reader.compactSize() {
            let txid = reader.take(32)
            for _ in 0..<reader.compactSize() { try remove(txid, reader.compactSize()) }
        }
        try addCoins(from: &reader)
    }

    private mutating func addCoins(from reader: inout PlainReader) throws {
        while !reader.isAtEnd {
            let txid = reader.take(32)
            for _ in 0..<reader.compactSize() {
                let index = reader.compactSize()
                let start = reader.offset
                _ = reader.varInt()
                _ = reader.varInt()
                let form = reader.varInt()
                _ = reader.take(form < 2 ? 20 : form < 6 ? 32 : Int(form) - 6)
                try add(txid, index, Array(reader.bytes[start..<reader.offset]))
            }
        }
    }

    /// The canonical bytes: groups by txid, in them coins by index as a number.
    public var bytes: [UInt8] {
        var out: [UInt8] = []
        for (txid, group) in coins.sorted(by: { $0.key < $1.key }) {
            out += txid.bytes + compactSize(UInt64(group.count))
            for (index, body) in group.sorted(by: { $0.key < $1.key }) { out += compactSize(index) + body }
        }
        return out
    }

    /// How many coins are in one of two sets alone, or are another one there: of those twice.
    public func difference(from other: PlainSet) -> Int {
        func all(_ set: PlainSet) -> Set<[UInt8]> {
            Set(set.coins.flatMap { txid, group in group.map { txid.bytes + compactSize($0) + $1 } })
        }
        return all(self).symmetricDifference(all(other)).count
    }

    /// How many outpoints a section spends, and coins it creates.
    public static func changes(section bytes: [UInt8]) throws -> Int {
        var reader = PlainReader(bytes)
        var count = 0
        for _ in 0..<reader.compactSize() {
            _ = reader.take(32)
            for _ in 0..<reader.compactSize() {
                _ = reader.compactSize()
                count += 1
            }
        }
        var created = PlainSet()
        try created.addCoins(from: &reader)
        return count + created.count
    }

    public var count: Int { coins.values.reduce(0) { $0 + $1.count } }
}

/// The sections of a patch's canonical bytes, cut at the lengths that its index says.
public func patchSections(_ bytes: [UInt8], shards: Int) throws -> [[UInt8]] {
    var index = PlainReader(bytes)
    var sections = PlainReader(bytes)
    _ = sections.take(36 * shards)
    let cut = try (0..<shards).map { shard in
        let section = sections.take(Int(index.integer(4)))
        guard SHA256.hash(section).bytes == index.take(32) else {
            throw TestError("section \(shard) is not the one its index names")
        }
        return section
    }
    guard sections.isAtEnd else { throw TestError("a patch is longer than its index says") }
    return cut
}

/// Bitcoin Core's CompactSize.
func compactSize(_ value: UInt64) -> [UInt8] {
    let width = value < 253 ? 0 : value <= 0xffff ? 2 : value <= 0xffff_ffff ? 4 : 8
    if width == 0 { return [UInt8(value)] }
    return [width == 2 ? 253 : width == 4 ? 254 : 255]
        + (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}

/// Reads bytes from the front; traps where there are none left, which ends the test.
struct PlainReader {
    let bytes: [UInt8]
    private(set) var offset = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    var isAtEnd: Bool { offset == bytes.count }

    mutating func take(_ count: Int) -> [UInt8] {
        defer { offset += count }
        return Array(bytes[offset..<offset + count])
    }

    mutating func byte() -> UInt8 {
        defer { offset += 1 }
        return bytes[offset]
    }

    /// Little endian.
    mutating func integer(_ count: Int) -> UInt64 {
        take(count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    mutating func compactSize() -> UInt64 {
        let first = byte()
        return first < 253 ? UInt64(first) : integer(first == 253 ? 2 : first == 254 ? 4 : 8)
    }

    mutating func varInt() -> UInt64 {
        var value: UInt64 = 0
        while true {
            let next = byte()
            value = value << 7 | UInt64(next & 0x7f)
            if next < 0x80 { return value }
            value += 1
        }
    }
}
