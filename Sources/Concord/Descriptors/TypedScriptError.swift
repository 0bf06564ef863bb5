/// Why a text is not taken for an address or a script: what it is, and what to give instead. The words never hold the text
/// itself, which may be a secret.
public enum TypedScriptError: Error, Sendable {
    /// Something that whoever has it can spend with.
    public enum Secret: Sendable {
        case wif, extended, mini, encrypted, seed, descriptor, share, other
    }

    /// Something of another kind or another chain.
    public enum Foreign: Sendable {
        case lightning, silentPayment, liquid, ethereum, litecoin, bitcoinCash, otherCoin
        case name, link, transaction, outpoint
    }

    /// Nothing, or white space alone.
    case empty
    /// White space between.
    case space
    /// A character that nobody sees, and its place, counted in code points from 0.
    case invisible(Unicode.Scalar, at: Int)
    case secret(Secret)
    case foreign(Foreign)
    /// A public key, in the bytes that it was given in, and the scripts that pay to it.
    case key([UInt8], KeyScripts, Network)
    /// 32 bytes: a txid or the x of a key, whose taproot address (BIP 86) this is where it has one.
    case digest(String?)
    /// A script that no output of the set can have.
    case unspendable
    /// This many bytes that have no form of a common script.
    case otherHex(Int)
    /// It looks like a descriptor, or an extended public key, and is none that can be used.
    case descriptor(DescriptorError)
    /// A good descriptor, but of other networks than the one asked for.
    case descriptorOfOthers([Network], asked: Network)
    /// A `bitcoin:` URI that must not be used by who does not know this parameter.
    case requirement(String)
    /// A `bitcoin:` URI without an address of the network.
    case noAddress
    /// A `bitcoin:` URI that names more than one address of the network.
    case severalAddresses
    /// It looks like nothing but an address, and is none.
    case address(AddressError)
}

extension TypedScriptError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .empty:
            "is empty: give an address or a script. Was a variable not set? (The empty script is raw().)"
        case .space:
            "has white space inside: give one address at a time, or several as arguments of their own, one a line "
                + "with - or --file"
        case .invisible(let scalar, let place):
            "holds an invisible character, \(Self.codePoint(scalar)), at place \(place + 1): copy the address again, "
                + "without it"
        case .secret(let secret):
            "is \(secret.words). Nobody who looks for coins needs it: keep it to yourself, and remove it from the history of "
                + "your shell. Give the address instead, or a descriptor with public keys alone"
        case .foreign(let foreign): foreign.words
        case .key(let bytes, let scripts, let network): Self.words(of: bytes, scripts, network)
        case .digest(let address):
            "is 32 bytes in hex, which could be a txid, a block hash or the x of a public key, and is no script: give an "
                + "address"
                + (address.map {
                    ". As the x of a public key its taproot address is \($0), of a descriptor tr(KEY); if it is the "
                        + "output's key already, put 5120 before it"
                } ?? "")
        case .unspendable:
            "is a script that begins with OP_RETURN or has more than 10,000 bytes: no such output is in the set, on purpose "
                + "(nobody can spend one)"
        case .otherHex(let count):
            "is \(count) \(count == 1 ? "byte" : "bytes") of hex without the form of a common script (P2PKH, P2SH, witness, P2PK, multisig). If it "
                + "is a scriptPubKey, say so: raw(HEX)"
        case .descriptor(let error): error.description
        case .descriptorOfOthers(let networks, let asked):
            "is a descriptor of \(networks.map(\.rawValue).joined(separator: ", ")), not of \(asked.rawValue)"
        case .requirement(let name):
            "is a bitcoin: URI that asks for \(name.printable), which this program does not know: give the address alone"
        case .noAddress: "is a bitcoin: URI without an address of this network: give an address"
        case .severalAddresses:
            "is a bitcoin: URI with several addresses: give those that you mean, as arguments of their own"
        case .address(.otherNetwork(let networks, let asked)):
            "is an address of \(networks.map(\.rawValue).joined(separator: ", ")), not of \(asked.rawValue)"
        case .address(let error): "is no address and no script in hex: \(error)"
        }
    }

    private static func codePoint(_ scalar: Unicode.Scalar) -> String {
        let hex = String(scalar.value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - hex.count)) + hex
    }

    private static func words(of bytes: [UInt8], _ scripts: KeyScripts, _ network: Network) -> String {
        func address(_ script: [UInt8]) -> String { Address.text(for: script, on: network) ?? script.hex }
        var forms = ["\(address(scripts.keyHash)) (pkh)"]
        if let witness = scripts.witness {
            forms += [
                "\(address(witness.keyHash)) (wpkh)", "\(address(witness.nested)) (sh(wpkh))",
                "\(address(witness.taproot)) (tr)",
            ]
        }
        forms.append("\(scripts.key.hex) (pk)")
        return "is a public key, not an address. Coins that pay to it are at one or more of: "
            + forms.joined(separator: ", ") + ". Give those, or a descriptor of the key, like wpkh(KEY)"
            + (bytes.count == 65 ? ". Its compressed form has addresses of its own" : "")
    }
}

extension TypedScriptError.Secret {
    fileprivate var words: String {
        switch self {
        case .wif: "a private key (WIF), or nearly one"
        case .extended: "an extended private key"
        case .mini: "a mini private key, or nearly one"
        case .encrypted: "an encrypted private key (BIP 38)"
        case .seed: "a list of words, as seed phrases are"
        case .descriptor: "a descriptor with a private key in it"
        case .share: "a share of a secret, or a whole one (BIP 93)"
        case .other: "a secret key of another program"
        }
    }
}

extension TypedScriptError.Foreign {
    fileprivate var words: String {
        switch self {
        case .lightning:
            "is of the Lightning network: its coins are in channels, not at an address. Give an address of the chain"
        case .silentPayment:
            "is a silent payment address (BIP 352): each payment to it has an address of its own, which only its wallet "
                + "finds. Give those"
        case .liquid: "is an address of Liquid, a sidechain: its coins are not in Bitcoin's set"
        case .ethereum:
            "is an address of Ethereum, or of Rootstock, a sidechain: its coins are not in Bitcoin's set"
        case .litecoin: "is an address of Litecoin, another chain"
        case .bitcoinCash: "is an address of Bitcoin Cash or eCash, other chains"
        case .otherCoin: "is an address of another chain"
        case .name:
            "is a name that a wallet asks others about (a Lightning address, BIP 353): give an address"
        case .link: "is a link: give the address alone"
        case .transaction: "is a transaction (PSBT), not an address: give the addresses of its outputs"
        case .outpoint: "is an output of a transaction, not an address: give the address that it pays to"
        }
    }
}
