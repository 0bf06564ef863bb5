import TestSupport
import Testing

@testable import Concord
@testable import ConcordFiles
@testable import ConcordTree

@Suite struct DumpReaderTests {
    let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    struct Coin: Equatable {
        let txid: Digest
        let index: UInt32
        let body: [UInt8]
    }

    func read(_ bytes: [UInt8], network: Network? = nil) throws -> [Coin] {
        var reader = try DumpReader(try scratch.write(bytes, to: "dump"), network: network)
        var coins: [Coin] = []
        while let coin = try reader.next() {
            coins.append(Coin(txid: reader.txid, index: coin.index, body: [UInt8](coin.body)))
        }
        // At the end it stays at the end.
        let isAtEnd = try reader.next() == nil && reader.isEndOfGroup
        #expect(isAtEnd)
        return coins
    }

    @Test(arguments: [ChainFixture.regtestRich, .mainnet4312].filter(\.isThere))
    func bitcoinCoresDumps(fixture: ChainFixture) throws {
        for dump in try fixture.dumps() {
            let file = try fixture.dumpFile(of: dump.height)
            let expected = try CoreDump(parsing: file).coins.map {
                Coin(txid: try #require(Digest($0.txid)), index: UInt32($0.index), body: $0.body)
            }
            #expect(try read(file, network: Network(rawValue: fixture.network)) == expected, "\(dump)")
            #expect(expected.count == dump.coins)
        }
    }

    @Test func noCoins() throws {
        #expect(try read(Array(DumpHeaderBytes.of(coins: 0))) == [])
    }

    /// A dump as a test spoils it: what stands where.
    struct Plain {
        var header = DumpHeaderBytes.of(coins: 5)
        var first = Digest(every: 1).bytes
        var second = Digest(every: 2).bytes
        var firstCount: [UInt8] = [2]
        var secondCount: [UInt8] = [3]
        var indexes: [[UInt8]] = [[0], [9], [0xfd, 0xff, 0], [0xfd, 0x80, 0x40], [0xfd, 0, 1]]
        /// Height 3, 1 satoshi, the script 51.
        var bodies = [[UInt8]](repeating: [6, 1, 7, 0x51], count: 5)
        var tail: [UInt8] = []

        var bytes: [UInt8] {
            header + first + firstCount + indexes[0] + bodies[0] + indexes[1] + bodies[1] + second
                + secondCount
                + indexes[2] + bodies[2] + indexes[3] + bodies[3] + indexes[4] + bodies[4] + tail
        }
    }

    enum DumpHeaderBytes {
        static func of(coins: UInt64) -> [UInt8] {
            let header = DumpHeader(network: .regtest, block: Digest(every: 9), coins: coins)
            return TestSupport.bytes { header.append(to: &$0) }
        }
    }

    // Where things are in the plain dump: header 51, txid 32, count 1, coins of 1 + 4 bytes, txid, count, of 3 + 4.
    static let (firstGroup, firstCoin, secondCoin) = (51, 84, 89)
    static let (secondGroup, thirdCoin, fourthCoin, fifthCoin, end) = (94, 127, 134, 141, 148)

    @Test func thePlainDumpIsGood() throws {
        #expect(Plain().bytes.count == Self.end)
        #expect(try read(Plain().bytes).map(\.index) == [0, 9, 255, 16_512, 256])
    }

    struct Fault: Sendable, CustomStringConvertible {
        let description: String
        let words: String
        let offset: Int
        let spoil: @Sendable (inout Plain) -> Void

        init(
            _ description: String, _ words: String, at offset: Int,
            _ spoil: @escaping @Sendable (inout Plain) -> Void
        ) {
            self.description = description
            self.words = words
            self.offset = offset
            self.spoil = spoil
        }
    }

    static let outOfOrder = "out of order or twice"
    static let count = "the number of coins of a transaction out of range"
    static let early = "ends too early"

    static let faults = [
        Fault("magic", "is no dump", at: 0) { $0.header[4] = 0xfe },
        Fault("version", "version 1;", at: 5) { $0.header[5] = 1 },
        Fault("network", "a dump of main, not of regtest", at: 7) {
            $0.header.replaceSubrange(7..<11, with: Network.main.magic)
        },
        Fault("testnet3", "not known here, with magic 0b110907", at: 7) {
            $0.header.replaceSubrange(7..<11, with: [0x0b, 0x11, 0x09, 0x07])
        },
        Fault("a count one too low", count, at: secondGroup + 32) { $0.header[43] = 4 },
        Fault("a count of whole groups too low", "bytes behind its end", at: secondGroup) {
            $0.header[43] = 2
        },
        Fault("no coins", "bytes behind its end", at: firstGroup) { $0.header[43] = 0 },
        Fault("a count one too high", early, at: end) { $0.header[43] = 6 },
        Fault("a count far too high", early, at: end) { $0.header[50] = 0xff },
        Fault("txids the wrong way round", outOfOrder, at: secondGroup) { swap(&$0.first, &$0.second) },
        Fault("a txid twice", outOfOrder, at: secondGroup) { $0.second = $0.first },
        Fault("an index twice", outOfOrder, at: secondCoin) { $0.indexes[1] = [0] },
        Fault("indexes the wrong way round", outOfOrder, at: secondCoin) { $0.indexes.swapAt(0, 1) },
        Fault("the order of numbers from 16,512 on", outOfOrder, at: fifthCoin) { $0.indexes.swapAt(3, 4) },
        Fault("a group of none", count, at: firstGroup + 32) { $0.firstCount = [0] },
        Fault("a group of one too many", count, at: secondGroup + 32) { $0.secondCount = [4] },
        Fault("a group of one too few", early, at: fifthCoin) { $0.secondCount = [2] },
        Fault("a group that is too large", count, at: firstGroup + 32) {
            $0.firstCount = [0xfe, 0x1d, 0xc8, 0x06, 0]
            $0.header[50] = 1
        },
        Fault("a group of 2^32", count, at: firstGroup + 32) {
            $0.firstCount = [0xff, 0, 0, 0, 0, 1, 0, 0, 0]
        },
        Fault("a count in a longer form", "shortest form", at: firstGroup + 32) {
            $0.firstCount = [0xfd, 2, 0]
        },
        Fault("an index in a longer form", "shortest form", at: secondCoin) { $0.indexes[1] = [0xfd, 9, 0] },
        Fault("an index of 2^32", "an output index out of range", at: secondCoin) {
            $0.indexes[1] = [0xff, 0, 0, 0, 0, 1, 0, 0, 0]
        },
        Fault("the index that Core refuses", "an output index out of range", at: secondCoin) {
            $0.indexes[1] = [0xfe, 0xff, 0xff, 0xff, 0xff]
        },
        Fault("a height over 31 bits", "a height out of range", at: secondCoin + 1) {
            $0.bodies[1] = [0x8e, 0xfe, 0xfe, 0xff, 0, 1, 7, 0x51]
        },
        Fault("a VARINT over 64 bits", "shortest form", at: secondCoin + 1) {
            $0.bodies[1] = [UInt8](repeating: 0xff, count: 10) + [0, 1, 7, 0x51]
        },
        Fault("an amount over 21 million bitcoin", "an amount out of range", at: secondCoin + 2) {
            $0.bodies[1] =
                [6] + TestSupport.bytes { $0.appendVarInt(Amount.compress(Amount.most) + 10) } + [7, 0x51]
        },
        Fault("a script that is too long", "a script's length out of range", at: secondCoin + 3) {
            $0.bodies[1] =
                [6, 1] + TestSupport.bytes { $0.appendVarInt(10_007) } + [UInt8](repeating: 0, count: 10_001)
        },
        Fault("a script that cannot be spent", "cannot be spent", at: secondCoin + 3) {
            $0.bodies[1] = [6, 1, 7, 0x6a]
        },
        Fault("a script that has a short form", "not in its short form", at: secondCoin + 3) {
            $0.bodies[1] = [6, 1, 29, 0xa9, 20] + [UInt8](repeating: 3, count: 20) + [0x87]
        },
        Fault("one byte behind the end", "bytes behind its end", at: end) { $0.tail = [0] },
        Fault("a coin too many", "bytes behind its end", at: end) {
            $0.tail = Digest(every: 3).bytes + [1, 0, 6, 1, 7, 0x51]
        },
    ]

    @Test(arguments: faults)
    func whatIsNoDump(fault: Fault) throws {
        var plain = Plain()
        fault.spoil(&plain)
        let error = #expect(throws: FileError.self) { try read(plain.bytes, network: .regtest) }
        #expect(error?.path == scratch.path("dump"))
        #expect(error?.message.contains(fault.words) == true, "\(error?.message ?? "")")
        #expect(error?.message.hasSuffix("(at byte \(fault.offset))") == true, "\(error?.message ?? "")")
    }

    /// Where it is cut off, the value that is not whole, or the coin or transaction that is not there, begins.
    @Test func oneThatIsCutOff() throws {
        let bytes = Plain().bytes
        let begins = [
            0, 5, 7, 11, 43, 51, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 126, 127, 130, 131, 132, 133,
            134,
            137, 138, 139, 140, 141, 144, 145, 146, 147,
        ]
        for count in 0..<bytes.count {
            let error = #expect(throws: FileError.self) { try read(Array(bytes[..<count])) }
            let message = error?.message ?? ""
            let offset = Int(message.split(separator: " ").last?.dropLast() ?? "")
            let expected = begins.last { $0 <= count }
            // A CompactSize of three bytes is cut off behind its first.
            let inIndex = [127, 134, 141].contains { (1...2).contains(count - $0) }
            #expect(message.contains(Self.early) && (offset == expected || inIndex), "\(count): \(message)")
        }
    }

    /// Windows end everywhere in the coins of a large dump; a truncation there is found too.
    @Test func manyWindows() throws {
        var random = SeededRandom()
        let coins = TestCoin.some(3000, using: &random)
        let groups = Dictionary(grouping: coins, by: \.outpoint.txid)
        var bytes = DumpHeaderBytes.of(coins: UInt64(coins.count))
        var expected: [Coin] = []
        for txid in groups.keys.sorted() {
            let group = (groups[txid] ?? []).sorted {
                IndexOrder.dump.key($0.outpoint.index) < IndexOrder.dump.key($1.outpoint.index)
            }
            bytes += txid.bytes + TestSupport.bytes { $0.appendCompactSize(UInt64(group.count)) }
            for coin in group {
                bytes += TestSupport.bytes { $0.appendCompactSize(UInt64(coin.outpoint.index)) } + coin.body
                expected.append(Coin(txid: txid, index: coin.outpoint.index, body: coin.body))
            }
        }
        #expect(bytes.count > 3 << 20)
        #expect(try read(bytes) == expected, "seed \(random.seed)")
        let cut = #expect(throws: FileError.self) { try read(Array(bytes.dropLast())) }
        #expect(cut?.message.contains(Self.early) == true)
    }

    @Test func aTransactionOfMoreBytesThanABlock() throws {
        let body: [UInt8] =
            [6, 1] + TestSupport.bytes { $0.appendVarInt(10_006) } + [UInt8](repeating: 0x51, count: 10_000)
        let count = 1700
        var bytes = DumpHeaderBytes.of(coins: UInt64(count))
        bytes += Digest(every: 1).bytes + TestSupport.bytes { $0.appendCompactSize(UInt64(count)) }
        for index in 0..<count { bytes += TestSupport.bytes { $0.appendCompactSize(UInt64(index)) } + body }
        let error = #expect(throws: FileError.self) { try read(bytes) }
        #expect(error?.message.contains("more bytes of one transaction than fit a block") == true)
    }

    @Test func onlyFilesAreRead() throws {
        let folder = #expect(throws: FileError.self) { _ = try DumpReader(scratch.folder) }
        #expect(folder?.message == "is not a regular file")
        let missing = #expect(throws: FileError.self) { _ = try DumpReader(scratch.path("missing")) }
        #expect(missing?.isMissing == true)
    }
}
