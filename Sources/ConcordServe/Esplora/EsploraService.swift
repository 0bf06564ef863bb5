import Concord
import ConcordClient

/// The HTTP API of Esplora (Blockstream/esplora, API.md), as far as a set and headers can answer it.
///
/// A path that needs more is refused with status 501 and the reason, and not with 404, which programs take for an answer: a
/// transaction that there is not, an address that was never used. For the same reason there is no `/address/:address`: its
/// counts are of a history that nobody has here, and whoever read them would take a used address for a fresh one.
struct EsploraService: Sendable {
    private let home: ServedHome
    private let describe: @Sendable (any Error) -> String

    /// Of an address with more coins none is given.
    static let maxCoins = 100_000

    init(_ home: ServedHome, describe: @escaping @Sendable (any Error) -> String) {
        (self.home, self.describe) = (home, describe)
    }

    /// Why a request is refused.
    private struct Refusal: Error {
        let status: Int
        let reason: String
    }

    func answer(_ request: WebRequest) -> WebAnswer {
        let parts = request.path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(
            String.init)
        do {
            guard request.method == "GET" else { throw Self.refusal(of: request.method, parts) }
            return try home.read { try answer(parts, from: $0) }
        } catch let refusal as Refusal {
            return .text(refusal.status, refusal.reason)
        } catch {
            return .text(503, describe(error))
        }
    }

    private func answer(_ parts: [String], from state: ServedState) throws -> WebAnswer {
        func part(_ place: Int) -> String { place < parts.count ? parts[place] : "" }
        switch (parts.count, part(0), part(1), part(2)) {
        case (3, "blocks", "tip", "height"): return .text(200, "\(state.tip.height)")
        case (3, "blocks", "tip", "hash"): return .text(200, state.tip.hash.reversedHex)
        case (2, "block-height", let text, _):
            guard let block = try state.block(at: try Self.number(text)) else { throw Self.noBlock }
            return .text(200, block.hash.reversedHex)
        case (3, "block", let text, "header"):
            guard let header = try state.header(of: try Self.hash(text)) else { throw Self.noBlock }
            return .text(200, header.bytes.hex)
        case (3, "address", let text, "utxo"):
            let script = try Self.script(of: text, on: state.network)
            return try Self.coins(state.coins(of: [script])[0], from: state)
        case (3, "scripthash", let text, "utxo"):
            return try Self.coins(state.coins(ofScriptHash: Self.scriptHash(text)), from: state)
        default: throw Self.refusal(of: "GET", parts)
        }
    }

    /// The coins as Esplora lists them, each with its block; ordered by outpoint.
    private static func coins(_ coins: [CoinLookup.Coin], from state: ServedState) throws -> WebAnswer {
        guard coins.count <= maxCoins else {
            throw Refusal(
                status: 400,
                reason: "Too many unspent transaction outputs (>\(maxCoins)): `concord utxos` lists them")
        }
        var statuses: [Int: JSONValue] = [:]
        let list = try coins.map { coin in
            let status = try statuses[coin.height] ?? status(at: coin.height, in: state)
            statuses[coin.height] = status
            return JSONValue.members([
                "txid": .string(coin.outpoint.txid.reversedHex), "vout": .number(coin.outpoint.index),
                "status": status, "value": .number(coin.amount),
            ])
        }
        return .json(200, .array(list))
    }

    private static func status(at height: Int, in state: ServedState) throws -> JSONValue {
        let known = JSONValue.members(["confirmed": .bool(true), "block_height": .number(height)])
        guard state.isOnChain, let header = try state.header(at: height)?.header else { return known }
        return known.adding([
            .init(name: "block_hash", value: .string(header.hash.reversedHex)),
            .init(name: "block_time", value: .number(header.time)),
        ])
    }

    // MARK: what is asked about

    private static let noBlock = Refusal(status: 404, reason: "Block not found")

    private static func number(_ text: String) throws(Refusal) -> Int {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text)
        else {
            throw Refusal(status: 400, reason: "Invalid number")
        }
        return number
    }

    private static func hash(_ text: String) throws(Refusal) -> Digest {
        guard let hash = Digest(reversedHex: text.lowercased()) else {
            throw Refusal(status: 400, reason: "Invalid hash string")
        }
        return hash
    }

    /// SHA-256 of the script, not reversed.
    private static func scriptHash(_ text: String) throws(Refusal) -> Digest {
        guard let hash = Digest(hex: text.lowercased()) else {
            throw Refusal(status: 400, reason: "Invalid scripthash")
        }
        return hash
    }

    private static func script(of text: String, on network: Network) throws(Refusal) -> [UInt8] {
        do throws(AddressError) {
            return try Address(text, on: network).script
        } catch .otherNetwork {
            throw Refusal(status: 400, reason: "Address on invalid network")
        } catch {
            throw Refusal(status: 400, reason: "Invalid address: \(error)")
        }
    }

    // MARK: what cannot be known

    private static func refusal(of method: String, _ parts: [String]) -> Refusal {
        let first = parts.first ?? ""
        if method == "POST", ["tx", "txs"].contains(first) || first == "broadcast" {
            return Refusal(status: 501, reason: sending)
        }
        guard method == "GET" else { return Refusal(status: 405, reason: "Invalid method") }
        if let reason = reasons[first] { return Refusal(status: 501, reason: reason) }
        return Refusal(status: 404, reason: "endpoint does not exist")
    }

    private static let sending =
        "this is connected to nobody, so it can send nothing: broadcast by another way"
    private static let history =
        "what is here are the coins that are not spent, and no history: /utxo behind the address or script hash lists them"
    private static let blocks =
        "of blocks only their headers are here: /block/:hash/header, /block-height/:height"
    private static let pool = "this is connected to nobody, so it knows no mempool and no fees"

    /// By the first part of a path.
    private static let reasons = [
        "tx": "what is here are coins and headers, and no transactions",
        "broadcast": sending, "address": history, "scripthash": history,
        "address-prefix": "addresses cannot be searched here",
        "block": blocks, "blocks": blocks, "mempool": pool, "fee-estimates": pool, "block-template": pool,
    ]
}
