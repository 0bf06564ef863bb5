/// What an address stands for: a scriptPubKey, and the networks that read the address so.
public struct Address: Hashable, Sendable {
    /// The scriptPubKey.
    public let script: [UInt8]

    /// The networks on which the text is an address: one or more, in the order of `Network.allCases`. The test
    /// networks share their base58 version bytes, and testnet4 and signet their bech32 prefix.
    public let networks: [Network]

    /// Reads P2PKH and P2SH addresses (base58check), and witness addresses of version 0 (BIP 173) and 1 to 16
    /// (BIP 350). Nothing around the address is skipped, no space either.
    public init(_ text: String) throws(AddressError) {
        if Self.startsLikeWitness(text) {
            self = try Self.witness(Bech32.decode(text))
        } else if let foreign = try? Bech32.decode(text) {
            throw .prefix(foreign.prefix)
        } else {
            self = try Self.base58(Base58.decode(text))
        }
    }

    /// An address of this network; throws `otherNetwork` for a good address that is none of its.
    public init(_ text: String, on network: Network) throws(AddressError) {
        try self.init(text)
        guard networks.contains(network) else { throw .otherNetwork(networks, asked: network) }
    }

    private init(script: [UInt8], networks: [Network]) {
        self.script = script
        self.networks = networks
    }

    private static func startsLikeWitness(_ text: String) -> Bool {
        let lower = text.lowercased()
        return Network.allCases.contains { lower.hasPrefix($0.bech32 + "1") }
    }

    private static func base58(_ payload: [UInt8]) throws(AddressError) -> Address {
        let version = payload[0]
        let isKeyHash = Network.allCases.filter { $0.base58.keyHash == version }
        let isScriptHash = Network.allCases.filter { $0.base58.scriptHash == version }
        if isKeyHash.isEmpty && isScriptHash.isEmpty {
            // Bitcoin Core's SECRET_KEY prefixes, main and test.
            throw version == 0x80 || version == 0xef ? .privateKey : .versionByte(version)
        }
        guard payload.count == 21 else { throw .payloadLength(payload.count) }
        let hash = payload.dropFirst()
        return isScriptHash.isEmpty
            ? Address(
                script: [Op.dup, Op.hash160, 20] + hash + [Op.equalVerify, Op.checkSig], networks: isKeyHash)
            : Address(script: [Op.hash160, 20] + hash + [Op.equal], networks: isScriptHash)
    }

    private static func witness(
        _ parts: (prefix: String, values: [UInt8], variant: Bech32.Variant)
    ) throws(AddressError) -> Address {
        let networks = Network.allCases.filter { $0.bech32 == parts.prefix }
        guard !networks.isEmpty else { throw .prefix(parts.prefix) }
        guard let version = parts.values.first else { throw .witnessVersion(nil) }
        guard version <= 16 else { throw .witnessVersion(version) }
        guard parts.variant == (version == 0 ? .bech32 : .bech32m) else {
            throw .checksumVariant(version: version)
        }
        let program = try Bech32.bytes(parts.values.dropFirst())
        guard isProgramLength(program.count, version: version) else {
            throw .programLength(program.count, version: version)
        }
        let opcode = version == 0 ? 0 : Op.one - 1 + version
        return Address(script: [opcode, UInt8(program.count)] + program, networks: networks)
    }

    /// BIP 141's witness programs; other lengths of version 0 have no address, as nobody can spend them.
    private static func isProgramLength(_ count: Int, version: UInt8) -> Bool {
        version == 0 ? count == 20 || count == 32 : (2...40).contains(count)
    }
}

extension Address {
    /// As it is written on the first of its networks.
    var text: String { Self.text(for: script, on: networks[0]) ?? script.hex }

    /// The address of a P2PKH, P2SH or witness script; nil for every other script, pay-to-pubkey too.
    public static func text(for script: [UInt8], on network: Network) -> String? {
        if script.count == 25, script.starts(with: [Op.dup, Op.hash160, 20]),
            script.suffix(2) == [Op.equalVerify, Op.checkSig]
        {
            return Base58.encode([network.base58.keyHash] + script[3..<23])
        }
        if script.count == 23, script.starts(with: [Op.hash160, 20]), script[22] == Op.equal {
            return Base58.encode([network.base58.scriptHash] + script[2..<22])
        }
        guard let program = witnessProgram(of: script) else { return nil }
        return Bech32.encode(
            prefix: network.bech32, values: [program.version] + Bech32.fives(program.bytes),
            variant: program.version == 0 ? .bech32 : .bech32m)
    }

    /// Bitcoin Core's `CScript::IsWitnessProgram`, and the lengths that version 0 allows.
    private static func witnessProgram(of script: [UInt8]) -> (version: UInt8, bytes: ArraySlice<UInt8>)? {
        guard script.count >= 4, script.count <= 42, Int(script[1]) == script.count - 2 else { return nil }
        let version: UInt8
        switch script[0] {
        case 0: version = 0
        case Op.one...Op.sixteen: version = script[0] - Op.one + 1
        default: return nil
        }
        guard isProgramLength(script.count - 2, version: version) else { return nil }
        return (version, script[2...])
    }
}
