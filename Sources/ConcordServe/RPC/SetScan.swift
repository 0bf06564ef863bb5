import Concord
import ConcordClient
import Synchronization

/// The one `scantxoutset` that may be under way at a time: how far it is, and whether it shall end.
final class SetScan: Sendable {
    private struct Run {
        /// In percent.
        var progress = 0
        var isAborted = false
    }

    private let run = Mutex<Run?>(nil)

    /// In percent; nil where no scan is under way.
    var progress: Int? { run.withLock { $0?.progress } }

    /// Ends the scan under way; false where there is none.
    func abort() -> Bool {
        run.withLock {
            $0?.isAborted = true
            return $0 != nil
        }
    }

    /// Does something as the one scan under way.
    func alone<Result>(_ body: () throws -> Result) throws -> Result {
        try run.withLock { run in
            guard run == nil else {
                throw RPCError(
                    .invalidParameter, "Scan already in progress, use action \"abort\" or \"status\"")
            }
            run = Run()
        }
        defer { run.withLock { $0 = nil } }
        return try body()
    }

    /// Looks for scripts, shard by shard. `txouts` is the number of coins of the whole set, as a node scans them: those of
    /// the other shards cannot have these scripts. A scan that was aborted gives what it had found, and `success` false.
    func run(_ objects: ScanObjects, in state: ServedState) throws -> JSONValue {
        let parameters = state.installed.statement.parameters
        let byShard = Dictionary(grouping: objects.scripts) { $0.script.withBytes(parameters.shard(of:)) }
        try state.require(objects.scripts.map(\.script))
        var found: [(coin: CoinLookup.Coin, of: DescribedScript)] = []
        var isAborted = false
        for (i, (_, wanted)) in byShard.sorted(by: { $0.key < $1.key }).enumerated() {
            isAborted = run.withLock {
                $0?.progress = 100 * i / byShard.count
                return $0?.isAborted ?? false
            }
            if isAborted { break }
            for (one, coins) in zip(wanted, try state.coins(of: wanted.map(\.script))) {
                found += coins.map { ($0, one) }
            }
        }
        found.sort { $0.coin.outpoint < $1.coin.outpoint }
        var hashes: [Int: String] = [:]
        let unspents = try found.map { coin, one in
            let hash = try hashes[coin.height] ?? state.block(at: coin.height)?.hash.reversedHex
            hashes[coin.height] = hash
            return JSONValue.members([
                "txid": .string(coin.outpoint.txid.reversedHex), "vout": .number(coin.outpoint.index),
                "scriptPubKey": .string(one.script.hex), "desc": .string(one.descriptor),
                "amount": .number(Amount.bitcoin(coin.amount)), "coinbase": .bool(coin.isCoinbase),
                "height": .number(coin.height), "blockhash": .string(hash ?? ""),
                "confirmations": .number(state.tip.height - coin.height + 1),
            ])
        }
        return .members([
            "success": .bool(!isAborted), "txouts": .number(state.installed.statement.coins),
            "height": .number(state.tip.height), "bestblock": .string(state.tip.hash.reversedHex),
            "unspents": .array(unspents),
            "total_amount": .number(Amount.bitcoin(found.reduce(0) { $0 + $1.coin.amount })),
        ])
    }
}
