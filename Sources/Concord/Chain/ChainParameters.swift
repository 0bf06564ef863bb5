/// What distinguishes the networks on disk and in the set (Bitcoin Core's kernel/chainparams.cpp).
extension Network {
    /// The four bytes before every record of a block file, in file order.
    public var magic: [UInt8] {
        switch self {
        case .main: [0xf9, 0xbe, 0xb4, 0xd9]
        case .testnet4: [0x1c, 0x16, 0x3f, 0x28]
        case .signet: [0x0a, 0x03, 0xcf, 0x40]
        case .regtest: [0xfa, 0xbf, 0xb5, 0xda]
        }
    }

    /// The hash of the first block, as Bitcoin Core prints it.
    public var genesis: String {
        switch self {
        case .main: "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
        case .testnet4: "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043"
        case .signet: "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6"
        case .regtest: "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"
        }
    }

    /// The folder inside Bitcoin Core's data directory; the main network's is the directory itself.
    public var dataFolder: String? {
        switch self {
        case .main: nil
        case .testnet4: "testnet4"
        case .signet: "signet"
        case .regtest: "regtest"
        }
    }

    /// What a miner may make out of nothing at a height, in satoshi (`GetBlockSubsidy`).
    public func subsidy(at height: Int) -> UInt64 {
        let halvings = height / (self == .regtest ? 150 : 210_000)
        return halvings < 64 ? 5_000_000_000 >> UInt64(halvings) : 0
    }

    /// The port at which a node answers RPC and REST unless it is told another (chainparamsbase.cpp).
    public var rpcPort: Int {
        switch self {
        case .main: 8332
        case .testnet4: 48332
        case .signet: 38332
        case .regtest: 18443
        }
    }

    /// The parameters an authority uses when it is not told others.
    public var defaultParameters: TreeParameters {
        self == .regtest ? TreeParameters(shards: 16, epoch: 100) : TreeParameters(shards: 1024, epoch: 1000)
    }

    /// Whether the coinbase of this block never enters the set: its outputs were overwritten by a later block with
    /// the same transaction before anybody could spend them (Bitcoin Core's `IsBIP30Unspendable`).
    public func neverHasCoinbase(height: Int, block: Digest) -> Bool {
        guard self == .main else { return false }
        return switch height {
        case 91_722:
            block.reversedHex == "00000000000271a2dc26e7667f8419f2e15416dc6955e5a6c6cdf3f2574dd08e"
        case 91_812:
            block.reversedHex == "00000000000af0aed4792b1acee3d966af36cf5def14935db8de83d6f9306f2f"
        default: false
        }
    }
}
