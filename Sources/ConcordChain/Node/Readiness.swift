import Concord

/// Whether a node knows the newest of its network's chain, so that what it says may be signed.
public struct Readiness: Sendable {
    /// In words; none where it is ready.
    public let reasons: [String]
    /// Whether a node was asked: a folder alone cannot tell, and is ready.
    public let isOfNode: Bool

    public var isReady: Bool { reasons.isEmpty }
    /// Whether the newest block is that of its network; nil where nobody says.
    public var isAtTip: Bool? { isOfNode ? isReady : nil }
}

extension Network {
    /// How old the newest block of a node that keeps up can be; nil where nobody mines steadily.
    var maxTipAge: Int64? {
        switch self {
        // As for the node itself (`DEFAULT_MAX_TIP_AGE`).
        case .main, .testnet4, .signet: 24 * 3600
        case .regtest: nil
        }
    }

    /// Whether blocks come all the time, so that the newest tells about when it is.
    public var isMinedSteadily: Bool { maxTipAge != nil }
}

/// What `getblockchaininfo` says.
struct ChainInfo: Decodable {
    let chain: String
    let blocks: Int
    let headers: Int
    let bestblockhash: String
    let chainwork: String
    let initialblockdownload: Bool
    /// Of a signet, hex; from Bitcoin Core 29 on.
    let signet_challenge: String?

    /// Of the signet that all know by that name (kernel/chainparams.cpp, `SigNetParams`).
    static let signetChallenge =
        "512103ad5e0edad18cb1f0fc0d28a3d4f1f3e445640337489abb10404f2d1e086be430210359ef5021964fe22d6f8e05b2463c9540ce96883f"
        + "e3b278760f048f5189f2e6c452ae"
}

extension NodeChain {
    /// Asks the node how it stands.
    ///
    /// - Parameter now: seconds since 1970.
    func readiness(now: Int64) throws(NodeError) -> Readiness {
        var info = try node.chainInfo()
        // The header of a new block is there before the block is.
        for _ in 0..<10 where info.headers > info.blocks && !info.initialblockdownload {
            let error = NodeError(
                .passing, node.subject("getblockchaininfo"), "the node is behind its headers")
            try Patience.sleep(.milliseconds(500), node.settings, error)
            info = try node.chainInfo()
        }
        var reasons: [String] = []
        if info.initialblockdownload {
            reasons.append(
                "it is in initial block download, at height \(info.blocks) of \(max(info.headers, info.blocks)) known so far"
            )
        } else if info.headers > info.blocks {
            reasons.append(
                "it knows headers up to height \(info.headers), but blocks only up to \(info.blocks)")
        }
        let block = blockID(at: tip)
        let said: NodeHeaders.Block = try node.call("getblockheader", .text(block.hash.reversedHex))
        let work = headers.work(through: tip)
        if Self.work(said.chainwork) != work || said.height != tip {
            reasons.append(
                "it says that its chain has the work \(NodeJSON.shown(said.chainwork)) at height \(said.height), but its "
                    + "headers come to \(String(work, radix: 16)) at height \(tip)")
        }
        if said.confirmations < 0 {
            reasons.append("it has left block \(block.hash.reversedHex) of height \(tip)")
        } else if info.bestblockhash == block.hash.reversedHex, Self.work(info.chainwork) != work {
            reasons.append(
                "it says that its best chain has the work \(NodeJSON.shown(info.chainwork)), but its headers come to "
                    + String(work, radix: 16))
        } else if let best = Self.work(info.chainwork), best < work {
            reasons.append("its chain has less work now than the one it had before")
        }
        let time = Int64(headers.time(at: tip))
        if let most = network.maxTipAge, now - time > most {
            reasons.append(
                "its newest block, of height \(tip), is of \(Timestamp.text(time)), \((now - time) / 3600) hours ago by this machine's "
                    + "clock"
            )
        }
        return Readiness(reasons: reasons, isOfNode: true)
    }

    /// 64 hex digits, most significant first.
    private static func work(_ text: String) -> UInt128? {
        text.utf8.count == 64 ? UInt128(text, radix: 16) : nil
    }
}

extension Node {
    /// How the node stands; throws where it is one of another network.
    func chainInfo() throws(NodeError) -> ChainInfo {
        let info: ChainInfo = try call("getblockchaininfo")
        guard info.chain == network.rawValue else {
            let other = NodeJSON.shown(info.chain)
            throw NodeError(
                .unsuitable, subject("getblockchaininfo"),
                Network(rawValue: info.chain) == nil
                    ? "this is a node of the network \(other), which is not published: give another --node"
                    : "this is a node of the network \(other), not of \(network.rawValue): give --network \(other), or "
                        + "another --node")
        }
        guard network == .signet else { return info }
        guard try isOnKnownSignet(info) else {
            throw NodeError(
                .unsuitable, subject("getblockchaininfo"),
                "this is a node of a signet with a challenge of its own, which is not supported: all signets have the "
                    + "same genesis block, and a statement could not say which of them it is about")
        }
        return info
    }

    /// Whether the node's signet is the one that all know: by its challenge, or where the node does not say it, by a block
    /// that Bitcoin Core's source pins.
    private func isOnKnownSignet(_ info: ChainInfo) throws(NodeError) -> Bool {
        if let challenge = info.signet_challenge { return challenge == ChainInfo.signetChallenge }
        guard let pin = PinnedSet.all.first(where: { $0.network == .signet }) else { return false }
        guard info.blocks >= pin.height else {
            // Unless told otherwise (`--allow-behind`), nothing of it is signed before it is through with that.
            if info.initialblockdownload { return true }
            throw NodeError(
                .unsuitable, subject("getblockchaininfo"),
                "the node does not say which signet it is on, and its chain ends at height \(info.blocks), too early to tell: "
                    + "wait until it has come to height \(pin.height), or take Bitcoin Core 29 or newer")
        }
        let hash: String = try call("getblockhash", .number(pin.height))
        return hash == pin.block
    }
}
