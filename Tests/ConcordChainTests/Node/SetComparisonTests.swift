import Concord
import Foundation
import TestSupport
import Testing

@testable import ConcordChain

@Suite("Statements against the node's coinstatsindex", .waits)
struct SetComparisonTests {
    private let server: TestNode
    private let table: String
    private let scratch: Scratch
    private let told = Told()
    private var comparison: SetComparison

    init() throws {
        scratch = try Scratch()
        server = try TestNode(mining: 20)
        table = try Self.write(scratch, server, through: 20)
        comparison = SetComparison(try Node(server, tell: told.note), patience: .seconds(1))
    }

    /// Values that a set could have.
    private static func row(_ height: Int) -> (coins: UInt64, amount: UInt64, muhash: Digest) {
        (UInt64(height), UInt64(height) * 5_000_000_000 + 1, Digest(every: UInt8(height + 1)))
    }

    private static func write(_ scratch: Scratch, _ server: TestNode, through tip: Int) throws -> String {
        var text = "height\tblock\tcoins\tamount\tmuhash\n"
        for height in 0...tip {
            let hash: String = try server.result("getblockhash", height)
            let row = row(height)
            text += "\(height)\t\(hash)\t\(row.coins)\t\(row.amount)\t\(row.muhash.reversedHex)\n"
        }
        return try scratch.write(text, to: "table")
    }

    private func statements(_ heights: ClosedRange<Int>) throws -> [Statement] {
        try heights.map { height in
            let hash: String = try server.result("getblockhash", height)
            let row = Self.row(height)
            return Statement(
                network: .regtest, parameters: TreeParameters(shards: 16, epoch: 100), height: height,
                block: Digest(reversedHex: hash) ?? .zero, parent: .zero, coins: row.coins,
                amount: row.amount,
                muhash: row.muhash, muhashes: .zero, patchRoot: .zero, deltas: [], history: [],
                snapshotRoot: nil)
        }
    }

    @Test("Equal sets pass, all of them in one request")
    func equal() throws {
        try server.set(.coinStats(file: table))
        try comparison.confirm(statements(0...20))
        #expect(told.all.isEmpty)
        #expect(try server.requests()["gettxoutsetinfo"] == 21)
    }

    @Test("A difference names height, field and both values", arguments: ["coins", "amount", "muhash"])
    func difference(field: String) throws {
        try server.set(.coinStats(file: table))
        var all = try statements(0...20)
        switch field {
        case "coins": all[13].coins += 1
        case "amount": all[13].amount += 1
        default: all[13].muhash = Digest(every: 99)
        }
        let error = #expect(throws: NodeError.self) { try comparison.confirm(all) }
        #expect(error?.kind == .contradiction)
        let row = Self.row(13)
        let values =
            ["coins": ("14", "13"), "amount": ("\(row.amount + 1)", "\(row.amount)")][field]
            ?? (Digest(every: 99).reversedHex, row.muhash.reversedHex)
        let words = error?.description ?? ""
        #expect(words.contains("after height 13 "), "\(words)")
        #expect(
            words.contains("has \(field) \(values.0), but the node's coinstatsindex says \(values.1) "),
            "\(words)")
    }

    @Test("A node that lies at one height")
    func lie() throws {
        try server.set(.coinStats(file: table))
        try server.set(.lie(height: 17))
        try comparison.confirm(statements(0...16))
        #expect(throws: NodeError.self) { try comparison.confirm(statements(15...18)) }
    }

    @Test(
        "Without the index, or where the user may not ask, there is nothing to compare, and that is told once"
    )
    func noIndex() throws {
        for _ in 1...3 { try comparison.confirm(statements(0...20)) }
        #expect(told.all.count == 1 && told.all[0].contains("coinstatsindex"))
        #expect(try server.requests()["gettxoutsetinfo"] == 21)
        let other = SetComparison(try Node(server, tell: told.note), patience: .seconds(1))
        try server.fail(.status(403), method: "gettxoutsetinfo")
        for _ in 1...3 { try other.confirm(statements(0...20)) }
        #expect(told.all.count == 2)
    }

    @Test("An index that is behind is waited for, a little")
    func behind() throws {
        try server.set(.coinStats(file: table))
        try server.mine(2)
        let all = try statements(0...22)
        let start = Date()
        try comparison.confirm(all)
        #expect((0.9...20).contains(Date().timeIntervalSince(start)))
        #expect(
            told.all.count == 1 && told.all[0].contains("still syncing") && told.all[0].contains("height 21"))
        // Not again, nor is it told again; what can be compared is.
        try comparison.confirm(all)
        #expect(told.all.count == 1)
        try server.set(.lie(height: 5))
        #expect(throws: NodeError.self) { try comparison.confirm(all) }
        // And once it is there.
        try server.set(.lie(height: nil))
        _ = try Self.write(scratch, server, through: 22)
        try comparison.confirm(all)
        try server.set(.lie(height: 22))
        #expect(throws: NodeError.self) { try comparison.confirm(all) }
    }

    @Test("What the node says of its set can be asked, if it says anything")
    func asked() throws {
        let blocks = try statements(0...20).map(\.blockID)
        #expect(try comparison.muhash(of: blocks[7]) == nil)
        try server.set(.coinStats(file: table))
        #expect(try comparison.muhash(of: blocks[7]) == Self.row(7).muhash)
        #expect(try comparison.muhash(of: BlockID(height: 7, hash: blocks[8].hash)) == nil)
        #expect(try comparison.muhash(of: BlockID(height: 21, hash: .zero)) == nil)
        try server.fail(.status(403), method: "gettxoutsetinfo", count: 1)
        #expect(try comparison.muhash(of: blocks[7]) == nil)
        #expect(told.all.isEmpty)
    }

    @Test("A block that the chain has left is not compared with the one in its place")
    func reorganised() throws {
        try server.set(.coinStats(file: table))
        let all = try statements(0...20)
        try server.reorganise(depth: 3)
        _ = try Self.write(scratch, server, through: 21)
        let error = #expect(throws: NodeError.self) { try comparison.confirm(all) }
        #expect(error?.description.contains("chain has moved") == true)
    }
}
