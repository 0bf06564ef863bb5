import Concord
import Foundation
import TestSupport
import Testing

@testable import ConcordChain

@Suite("Spent coins from a node's JSON")
struct SpentReplyTests {
    /// Blocks with their undo records, as Bitcoin Core wrote them, and the replies of a node to `getblock HASH 3`.
    private static func recorded(
        _ body: (CoreFiles.Block, [UInt8]) throws -> Void
    ) throws {
        let fixture = ChainFixture.regtestRich
        let scratch = try Scratch()
        try fixture.unpack(into: scratch.folder)
        try fixture.unpackRecording(into: scratch.folder)
        let files = try CoreFiles(scratch.path("blocks"), magic: Network.regtest.magic)
        for block in files.blocks {
            guard let reply = try? scratch.read("rpc/getblock-\(block.hash)-3.json") else { continue }
            try body(block, reply)
        }
    }

    private static func undo(_ reply: [UInt8], of hash: String) throws -> [UInt8] {
        let hash = try #require(Digest(reversedHex: hash))
        let spent = try SpentReply(reply, id: 1, of: hash, "node getblock")
        return try bytes { (out) throws(NodeError) in try spent.append(to: &out) }
    }

    @Test("The same bytes as the undo record that Core wrote")
    func sameBytes() throws {
        var compared = 0
        try Self.recorded { block, reply in
            guard let record = block.undo else { return }
            let undo = try Self.undo(reply, of: block.hash)
            #expect(undo == Array(record.bytes.dropLast(32)), "\(block.height)")
            compared += 1
        }
        #expect(compared >= 10)
    }

    @Test("Amounts are exact, in every form a number of JSON has")
    func amounts() throws {
        for (text, satoshi) in [
            ("0.00000001", 1), ("20999999.97690000", 2_099_999_997_690_000), ("0.00000000", 0), ("1e-8", 1),
            ("21000000", 2_100_000_000_000_000), ("0.1", 10_000_000), ("90071992.5474099", nil),
            ("-0.00000001", nil), ("0.000000001", nil), ("21000000.00000001", nil), ("1e30", nil),
        ] as [(String, UInt64?)] {
            let values: [Decimal] = try NodeJSON.decode(Array("[\(text)]".utf8))
            #expect(values.first.flatMap(NodeAmount.satoshi) == satoshi, "\(text)")
        }
    }

    private static let hash = String(repeating: "0", count: 63) + "1"

    private static func reply(_ coin: String, id: Int = 1, hash: String = hash) -> [UInt8] {
        Array(
            """
            {"result":{"hash":"\(hash)","tx":[{"vin":[{"coinbase":"00"}]},{"vin":[{"txid":"00"\(coin)}]}]},\
            "error":null,"id":\(id)}
            """.utf8)
    }

    private static func coin(
        _ generated: String = "true", height: String = "5", value: String = "50.0", hex: String = "51"
    )
        -> String
    {
        #","prevout":{"generated":\#(generated),"height":\#(height),"value":\#(value),"scriptPubKey":{"hex":"\#(hex)"}}"#
    }

    @Test("A coin's height, origin, amount and script")
    func coin() throws {
        let expected = try bytes { (out) throws(NodeError) in
            out.append([1, 1, 11, 0])
            out.appendVarInt(Amount.compress(5_000_000_000))
            out.append([7, 0x51])
        }
        #expect(try Self.undo(Self.reply(Self.coin()), of: Self.hash) == expected)
    }

    @Test("Without the coins, what to do")
    func noCoins() {
        let error = #expect(throws: NodeError.self) { try Self.undo(Self.reply(""), of: Self.hash) }
        #expect(error?.kind == .unsuitable)
        for part in ["prevout", "older than Bitcoin Core 23", "prune=0", "--datadir"] {
            #expect(error?.description.contains(part) == true)
        }
    }

    @Test("What makes no sense is refused")
    func nonsense() {
        let replies = [
            Self.reply(Self.coin(), id: 2),
            Self.reply(Self.coin(), hash: Self.hash.replacing("1", with: "2")),
            Self.reply(Self.coin("1")), Self.reply(Self.coin(height: "-1")),
            Self.reply(Self.coin(height: "2147483648")), Self.reply(Self.coin(height: "1.5")),
            Self.reply(Self.coin(value: "-1")), Self.reply(Self.coin(value: "\"1\"")),
            Self.reply(Self.coin(hex: "5")), Self.reply(Self.coin(hex: "zz")),
            Array(#"{"result":{"hash":"\#(Self.hash)","tx":[]},"error":null,"id":1}"#.utf8),
            Array("[]".utf8), [], Array(Self.reply(Self.coin()).dropLast(5)),
        ]
        for reply in replies {
            #expect(throws: NodeError.self, "\(String(decoding: reply, as: UTF8.self))") {
                try Self.undo(reply, of: Self.hash)
            }
        }
    }
}
