extension Statement {
    /// The one statement of a network's genesis block: it adds nothing to the empty set (FORMAT.md, «Statements»).
    public init(genesisOf network: Network, _ parameters: TreeParameters) {
        let nothing = ShardContents(coins: 0, bytes: 0, digest: SHA256.hash([]))
        let filter = Manifest.Filter(bytes: 1, digest: SHA256.hash([0]))
        let shard = Manifest.Shard(nothing, filter: filter)
        let muhash = MuHash().digest()
        self.init(
            network: network, parameters: parameters, height: 0,
            block: Digest(reversedHex: network.genesis) ?? .zero, parent: .zero, coins: 0, amount: 0,
            muhash: muhash,
            muhashes: ShardMuHashes([Digest](repeating: muhash, count: parameters.shards), parameters).root,
            patchRoot: PatchIndex([PatchIndex.Entry](repeating: .empty, count: parameters.shards)).root,
            deltas: [], history: [],
            snapshotRoot: Manifest([Manifest.Shard](repeating: shard, count: parameters.shards)).root)
    }
}
