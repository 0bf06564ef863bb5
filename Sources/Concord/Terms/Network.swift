/// The networks whose chains Concord publishes. The raw value is the name in statements, and Bitcoin Core's `-chain`.
public enum Network: String, CaseIterable, Sendable {
    case main
    case testnet4
    case signet
    case regtest
}

extension Network {
    /// The first byte of base58check addresses: P2PKH, and P2SH (BIP 13). All test networks have the same two.
    public var base58: (keyHash: UInt8, scriptHash: UInt8) {
        switch self {
        case .main: (0x00, 0x05)
        case .testnet4, .signet, .regtest: (0x6f, 0xc4)
        }
    }

    /// The human-readable part of witness addresses (BIP 173). Testnet4 and signet have the same.
    public var bech32: String {
        switch self {
        case .main: "bc"
        case .testnet4, .signet: "tb"
        case .regtest: "bcrt"
        }
    }
}
