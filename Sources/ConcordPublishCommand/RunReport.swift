import Concord
import ConcordConsole
import ConcordPublish
import ConcordTree
import Foundation

/// What a run tells of what it did: in full once; where it follows the tip, a line for every change after that.
final class RunReport {
    private let isJSON: Bool
    private let isFollowing: Bool
    private let key: PublicKey
    private let tree: String
    private var isFirst = true
    private var leftBehind: BlockID?

    init(isJSON: Bool, isFollowing: Bool, key: PublicKey, tree: String) {
        self.isJSON = isJSON
        self.isFollowing = isFollowing
        self.key = key
        self.tree = tree
    }

    func say(_ report: Publisher.Report, seconds: Double) throws {
        defer { isFirst = false }
        let isReorganisation = report.leftBehind != nil && report.leftBehind != leftBehind
        leftBehind = report.leftBehind
        guard isFirst || report.blocks > 0 || isReorganisation else { return }
        if isJSON {
            try printJSON(JSON(report, key: key, tree: tree, seconds: seconds), onOneLine: isFollowing)
            return
        }
        if isReorganisation, let left = report.leftBehind {
            try Output.say(
                "reorganisation: the best chain has left block \(left.hash.reversedHex) at height \(left.height)"
            )
        }
        if isFirst { try sayAll(report, seconds) } else if report.blocks > 0 { try sayChange(report) }
    }

    private func sayAll(_ report: Publisher.Report, _ seconds: Double) throws {
        let statement = report.statement
        if report.blocks == 0 {
            try Output.say("nothing new: \(tree) is at height \(statement.height)")
        } else {
            try Output.say(
                "published \(report.blocks) blocks and \(report.snapshots) snapshots to \(tree) in "
                    + String(format: "%.1f s", seconds) + ", \(report.signatures) new signatures")
        }
        try Output.say(
            """
            height  \(statement.height)
            block   \(statement.block.reversedHex)
            coins   \(statement.coins)
            amount  \(Amount.bitcoin(statement.amount)) BTC
            muhash  \(statement.muhash.reversedHex)
            """)
        if isFollowing { try Output.say("following the tip") }
    }

    private func sayChange(_ report: Publisher.Report) throws {
        let time = Timestamp.text(Int64(Date().timeIntervalSince1970))
        try Output.say(
            "\(time)  height \(report.statement.height)  block \(report.statement.block.reversedHex)"
                + (report.signatures == 1 ? "" : "  (\(report.signatures) new signatures)"))
    }

    /// The end of following.
    func stopped(_ tree: Tree, bySignal: Bool) throws {
        guard !isJSON, let latest = try? tree.latest() else { return }
        try Output.say(
            "stopped\(bySignal ? " by a signal" : ""): \(tree.root) is whole, at height \(latest.height)")
    }

    private struct JSON: Encodable {
        let tree, network, key: String
        let height: Int
        let block: String
        let coins, amountSat: UInt64
        let muhash, muhashes: String
        let blocks, signatures, snapshots: Int
        let leftBehind: String?
        let seconds: Double

        init(_ report: Publisher.Report, key: PublicKey, tree: String, seconds: Double) {
            self.tree = tree
            self.key = key.hex
            self.seconds = seconds
            network = report.statement.network.rawValue
            height = report.statement.height
            block = report.statement.block.reversedHex
            coins = report.statement.coins
            amountSat = report.statement.amount
            muhash = report.statement.muhash.reversedHex
            muhashes = report.statement.muhashes.hex
            blocks = report.blocks
            signatures = report.signatures
            snapshots = report.snapshots
            leftBehind = report.leftBehind?.description
        }
    }
}
