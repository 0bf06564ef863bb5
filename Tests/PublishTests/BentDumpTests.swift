import Concord
import ConcordFiles
import ConcordPublish
import ConcordTree
import TestSupport
import Testing

/// A dump whose values are bent is as good a file as any other: only its MuHash tells.
@Suite(.waits) struct BentDumpTests {
    static let height = 107

    /// What is bent.
    enum Bend: CaseIterable, Sendable {
        case amountMore, amountLess, height, coinbase, script, index, txid
    }

    /// Six coins, each bent in seven ways.
    @Test(arguments: Bend.allCases)
    func isNeverSigned(bend: Bend) throws {
        let fixture = ChainFixture.regtestRich
        let answer = try fixture.answers()[Self.height]
        let expected = try #require(Digest(reversedHex: answer.muhash))
        let dump = try fixture.dump(of: Self.height)
        let chain = try BentChain(isBegun: false)
        let parameters = TreeParameters(shards: 16, epoch: Self.height)
        let last = dump.coins.count - 1
        for place in [0, 1, 40, 77, last - 1, last] {
            let bytes = try Self.encode(dump, bending: place, bend)
            let path = try chain.scratch.write(bytes, to: "utxo.dat")
            let error = #expect(throws: FileError.self) {
                try chain.publish(
                    to: Self.height, first: Self.height, beginning: .dump(path), expected: expected,
                    parameters: parameters)
            }
            #expect(
                error?.message.contains("not \(answer.muhash)") == true
                    && error?.message.contains("Nothing was signed") == true, "\(place): \(error as Any)")
            #expect(chain.tree.files().isEmpty && chain.newest == nil)
        }
        // As Bitcoin Core wrote it, it is.
        let path = try chain.scratch.write(fixture.dumpFile(of: Self.height), to: "utxo.dat")
        let report = try chain.publish(
            to: Self.height, first: Self.height, beginning: .dump(path), expected: expected,
            parameters: parameters)
        #expect(report?.statement.muhash == expected)
    }

    private static func encode(_ dump: CoreDump, bending place: Int, _ bend: Bend) throws -> [UInt8] {
        var out = bytes {
            DumpHeader(
                network: .regtest, block: Digest(dump.block) ?? .zero, coins: UInt64(dump.coins.count)
            ).append(to: &$0)
        }
        var i = 0
        while i < dump.coins.count {
            let txid = dump.coins[i].txid
            let group = dump.coins[i...].prefix { $0.txid == txid }
            let isBent = group.indices.contains(place)
            // The last byte: the order stays.
            out += txid.dropLast() + [isBent && bend == .txid ? txid[31] ^ 1 : txid[31]]
            out += compactSize(UInt64(group.count))
            for (j, coin) in zip(group.indices, group) {
                let isBent = j == place
                // Behind all others of its transaction; a lower index has its own order in dumps.
                let isLast = j == group.endIndex - 1
                out += compactSize(coin.index + (isBent && isLast && bend == .index ? 100 : 0))
                out += isBent && (bend != .index || !isLast) ? try bent(coin.body, bend) : coin.body
            }
            i = group.endIndex
        }
        return out
    }

    private static func compactSize(_ value: UInt64) -> [UInt8] {
        bytes { $0.appendCompactSize(value) }
    }

    /// The bytes behind a coin's index, bent.
    private static func bent(_ body: [UInt8], _ bend: Bend) throws -> [UInt8] {
        let (code, amount, script) = try body.withBytes { raw in
            let coin = try EncodedCoin(index: 0, body: raw)
            var script = ByteBuffer()
            _ = ScriptCompression.decompress(coin.script, into: &script)
            return (coin.code, coin.amount, [UInt8](script.bytes))
        }
        let isScript = bend == .script
        let newCode: UInt32 =
            switch bend {
            case .height, .index: code > 4 ? code - 2 : code + 2
            case .coinbase: code ^ 1
            default: code
            }
        let newAmount: UInt64 =
            switch bend {
            case .amountMore: amount + 1
            case .amountLess: amount > 0 ? amount - 1 : 2
            default: amount
            }
        return bytes { out in
            var whole = ByteBuffer()
            (isScript ? script + [0x51] : script).withBytes {
                whole.appendCoin(index: 0, code: newCode, amount: newAmount, script: $0)
            }
            // The index takes one byte.
            out.append([UInt8](whole.bytes.dropFirst()))
        }
    }
}
