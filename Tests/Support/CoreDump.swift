import Concord

/// Bitcoin Core's `dumptxoutset`, version 2, read in the plainest way and apart from the project's own parsers: all of
/// it in memory, one coin after the other.
public struct CoreDump: Sendable {
    public struct Coin: Sendable {
        /// Internal byte order.
        public let txid: [UInt8]
        public let index: UInt64
        /// VARINT(height · 2 + coinbase), VARINT of the compressed amount and the compressed script, as they stand.
        public let body: [UInt8]
        /// The script as an output holds it; of a P2PK with an uncompressed key nil until y is known.
        public var script: [UInt8]?
        /// x and the parity of y of such a key.
        let key: (x: [UInt8], isOdd: Bool)?
    }

    public let networkMagic: [UInt8]
    /// Internal byte order.
    public let block: [UInt8]
    public private(set) var coins: [Coin] = []

    public init(parsing bytes: [UInt8]) throws {
        var reader = PlainReader(bytes)
        guard reader.take(5) == Array("utxo".utf8) + [0xff], reader.integer(2) == 2 else {
            throw TestError("no dump of version 2")
        }
        networkMagic = reader.take(4)
        block = reader.take(32)
        let total = reader.integer(8)
        while !reader.isAtEnd {
            let txid = reader.take(32)
            for _ in 0..<reader.compactSize() {
                let index = reader.compactSize()
                let start = reader.offset
                _ = reader.varInt()
                _ = reader.varInt()
                let (script, key) = Self.script(&reader)
                coins.append(
                    Coin(
                        txid: txid, index: index, body: Array(bytes[start..<reader.offset]), script: script,
                        key: key))
            }
        }
        guard coins.count == total else { throw TestError("\(coins.count) coins in a dump of \(total)") }
        try findKeys()
    }

    private static func script(_ reader: inout PlainReader) -> (script: [UInt8]?, key: ([UInt8], Bool)?) {
        let form = reader.varInt()
        switch form {
        case 0: return ([0x76, 0xa9, 20] + reader.take(20) + [0x88, 0xac], nil)
        case 1: return ([0xa9, 20] + reader.take(20) + [0x87], nil)
        case 2, 3: return ([33, UInt8(form)] + reader.take(32) + [0xac], nil)
        case 4, 5: return (nil, (reader.take(32), form == 5))
        default: return (reader.take(Int(form) - 6), nil)
        }
    }

    /// y = √(x³ + 7) modulo p, in Python, which has the numbers for it.
    private mutating func findKeys() throws {
        let program = """
            import sys
            p = 2**256 - 2**32 - 977
            for line in sys.stdin:
                x, odd = int(line.split()[0], 16), int(line.split()[1])
                y = pow(x * x * x + 7, (p + 1) // 4, p)
                assert y * y % p == (x * x * x + 7) % p
                print("%064x" % (y if y & 1 == odd else p - y))
            """
        let unknown = coins.indices.filter { coins[$0].script == nil }
        if unknown.isEmpty { return }
        let input = unknown.map { i in coins[i].key.map { "\($0.x.hex) \($0.isOdd ? 1 : 0)\n" } ?? "" }
            .joined()
        let printed = try Program.installed("python3").print("-c", program, input: Array(input.utf8))
        let lines = String(decoding: printed, as: UTF8.self).split(separator: "\n")
        guard lines.count == unknown.count else { throw TestError("\(lines.count) of \(unknown.count) keys") }
        for (i, line) in zip(unknown, lines) {
            guard let key = coins[i].key, let y = [UInt8](hex: line) else {
                throw TestError("no key: \(line)")
            }
            coins[i].script = [65, 4] + key.x + y + [0xac]
        }
    }

    /// Cuts the set into shards, each in its canonical bytes.
    public func shards(_ count: Int) throws -> [[UInt8]] {
        var sets = [PlainSet](repeating: PlainSet(), count: count)
        for coin in coins {
            guard let script = coin.script else { throw TestError("a coin without its script") }
            // Little endian, modulo a power of two up to 4096: the first two bytes tell.
            let digest = SHA256.hash(SHA256.hash(script).bytes).bytes
            try sets[(Int(digest[0]) | Int(digest[1]) << 8) % count].add(coin.txid, coin.index, coin.body)
        }
        return sets.map(\.bytes)
    }
}
