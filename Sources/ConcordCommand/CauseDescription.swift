import Concord
import ConcordConsole
import ConcordClient
import ConcordTree

/// What a person is shown of why two statements differ.
extension DivergenceSearch.Cause {
    /// - Parameters:
    ///   - sides: what the two sides are called.
    ///   - epochStart: the first height of the epoch of what differs.
    func words(_ sides: Sides, on network: Network, epochStart: Int) -> [String] {
        switch self {
        case .coin(let difference, let part):
            [
                "\(part.rawValue): differs first in shard \(TreePath.shardDigits(difference.shard)), at \(difference.outpoint)"
            ]
                + sides.lines(
                    difference.own.words(part, on: network), difference.other.words(part, on: network))
        case .manifest(let shard, let own, let other):
            ["snapshot: shard \(TreePath.shardDigits(shard)) is the same, its line in the manifest is not"]
                + sides.lines(
                    "\(own.coins) coins, \(own.bytes) bytes", "\(other.coins) coins, \(other.bytes) bytes")
        case .unknown(let part, let why):
            "\(part.rawValue): cannot be looked into: \(why.words)".split(separator: "\n").map {
                String($0).printable
            }
        case .shards(let shards):
            [
                "muhashes: \(shards.count == 1 ? "shard" : "shards") \(shards.prefix(8).map(TreePath.shardDigits).joined(separator: ", "))"
                    + (shards.count > 8
                        ? " and \(shards.count - 8) more have" : shards.count == 1 ? " has" : " have")
                    + " other coins on each side, though the block does the same to them"
            ]
        case .filter(let shard):
            [
                "snapshot: shard \(TreePath.shardDigits(shard)) is the same, its filter in the manifest is not: one of the two "
                    + "is not that of the shard's scripts"
            ]
        case .history(true):
            [
                "history: does not name the statement of the block before, of which both say the same"
            ]
        case .history(false):
            [
                "history: differs alone: something earlier in the epoch differs, from height \(epochStart) on, or this does "
                    + "not follow from the authority's own attestations"
            ]
        case .totals: ["what the block does is the same; what is said of the whole set is not"]
        }
    }

    var part: String {
        switch self {
        case .coin(_, let part), .unknown(let part, _): part.rawValue
        case .manifest, .filter: DivergenceSearch.Cause.Part.snapshot.rawValue
        case .shards: DivergenceSearch.Cause.Part.muhashes.rawValue
        case .history: "history"
        case .totals: "totals"
        }
    }

    /// The names of two sides.
    struct Sides {
        let own, other: String

        /// What each says, one under the other.
        func lines(_ mine: String, _ theirs: String) -> [String] {
            let width = max(own.count, other.count)
            return [(own, mine), (other, theirs)].map { name, words in
                "  \(name)\(String(repeating: " ", count: width - name.count))  \(words)"
            }
        }
    }

    /// What --json prints.
    struct JSON: Encodable {
        struct Side: Encodable {
            let spent: Bool
            let height: Int?
            let coinbase: Bool?
            let amountSat: UInt64?
            let script: String?

            init(_ side: CoinDifference.Side) {
                spent = side.isSpent
                height = side.coin?.height
                coinbase = side.coin?.isCoinbase
                amountSat = side.coin?.amount
                script = side.coin?.script?.hex
            }
        }

        /// `patch`, `delta`, `snapshot`, `muhashes`, `history` or `totals`.
        let part: String
        let text: String
        let shard: Int?
        let txid: String?
        let index: UInt32?
        let own, attested: Side?
    }

    /// - Parameter words: as `words` gives them.
    func json(_ words: [String]) -> JSON {
        guard case .coin(let difference, _) = self else {
            return JSON(
                part: part, text: words.joined(separator: "\n"), shard: nil, txid: nil, index: nil, own: nil,
                attested: nil)
        }
        return JSON(
            part: part, text: words.joined(separator: "\n"), shard: difference.shard,
            txid: difference.outpoint.txid.reversedHex, index: difference.outpoint.index,
            own: .init(difference.own), attested: .init(difference.other))
    }
}

extension CoinDifference.Side {
    fileprivate func words(_ part: DivergenceSearch.Cause.Part, on network: Network) -> String {
        let coin = coin.map { coin in
            let script = coin.script.map { script in
                Address.text(for: script, on: network) ?? "script \(Self.shortened(script))"
            }
            return "\(Amount.bitcoin(coin.amount)) BTC, height \(coin.height)"
                + (coin.isCoinbase ? ", coinbase, " : ", ")
                + (script ?? "a public key that is no point of the curve")
        }
        if part == .snapshot { return coin ?? "nothing" }
        let verbs = [isSpent ? "spends it" : nil, coin.map { "creates \($0)" }].compactMap(\.self)
        return verbs.isEmpty ? "leaves it alone" : verbs.joined(separator: ", then ")
    }

    private static func shortened(_ script: [UInt8]) -> String {
        script.isEmpty ? "of no bytes" : script.count <= 80 ? script.hex : "\(script.prefix(80).hex)…"
    }
}

extension DivergenceSearch.Cause.Unknown {
    var words: String {
        switch self {
        case .notThere(let error):
            error.faults.isEmpty ? "\(error.path) is not here" : error.description
        case .malformed(let error): "one of the two \(error)"
        case .sameInOtherBytes(.patch), .sameInOtherBytes(.delta): "they do the same, in other bytes"
        case .sameInOtherBytes: "they hold the same coins, in other bytes"
        case .tooLarge(let shard, let own, let other):
            "shard \(TreePath.shardDigits(shard)) has \(own) bytes on one side and is said to have \(other) on the other, "
                + "too many to be looked at"
        }
    }
}
