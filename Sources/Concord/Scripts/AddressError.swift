/// Why a text is not the address that was asked for.
public enum AddressError: Error, Equatable, Sendable {
    /// A character that such an address cannot have, and its place, counted in characters from 0.
    case character(Character, at: Int)
    /// More characters than any address of its kind has.
    case tooLong(Int)
    /// Too few characters for anything and a checksum.
    case tooShort
    /// Upper and lower case in one witness address.
    case mixedCase
    /// No human-readable part: nothing before the last `1`, or no `1`.
    case noPrefix
    /// The checksum does not fit: mistyped, or cut off.
    case checksum
    /// A base58check text whose first byte no network of `Network` has.
    case versionByte(UInt8)
    /// A private key (WIF), which belongs nowhere near this program.
    case privateKey
    /// A base58check payload, version byte included, that is not 21 bytes.
    case payloadLength(Int)
    /// A witness address whose human-readable part no network of `Network` has.
    case prefix(String)
    /// A witness version above 16, or none.
    case witnessVersion(UInt8?)
    /// A witness program that is not 2 to 40 bytes, or, for version 0, neither 20 nor 32.
    case programLength(Int, version: UInt8)
    /// Bech32 where BIP 350 asks for Bech32m (version 1 and up), or the other way round (version 0).
    case checksumVariant(version: UInt8)
    /// A witness program with bits left over: more than four, or not all zero.
    case padding
    /// A good address, but of other networks than the one asked for.
    case otherNetwork([Network], asked: Network)

    /// The character that has the UTF-8 code unit at `offset`.
    static func character(in text: String, at offset: Int) -> AddressError {
        let index = text.utf8.index(text.startIndex, offsetBy: offset)
        let start = text.indices.last { $0 <= index } ?? text.startIndex
        return .character(text[start], at: text.distance(from: text.startIndex, to: start))
    }
}

extension AddressError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .character(let character, let place):
            "the character \(String(character).debugDescription) (number \(place + 1)) cannot be in an address"
        case .tooLong(let count): "\(count) characters are more than any address has"
        case .tooShort: "the address is too short"
        case .mixedCase: "the address mixes upper and lower case"
        case .noPrefix: "the address has no prefix such as bc1"
        case .checksum: "the address has a bad checksum: it is mistyped or cut off"
        case .versionByte(let byte): "the address has the version byte \(byte), which no known network has"
        case .privateKey: "this is a private key, not an address"
        case .payloadLength(let count): "the address stands for \(count) bytes instead of 21"
        case .prefix(let prefix):
            "the address has the prefix \(prefix.debugDescription), which no known network has"
        case .witnessVersion(nil): "the address has no witness version"
        case .witnessVersion(let version?):
            "the address has the witness version \(version); 16 is the highest"
        case .programLength(let count, version: 0):
            "the address has a version 0 witness program of \(count) bytes instead of 20 or 32"
        case .programLength(let count, _):
            "the address has a witness program of length \(count); 2 to 40 bytes are allowed"
        case .checksumVariant(version: 0):
            "the address has a Bech32m checksum where version 0 asks for Bech32"
        case .checksumVariant(let version):
            "the address has a Bech32 checksum where version \(version) asks for Bech32m (BIP 350)"
        case .padding: "the address has bits left over behind its witness program"
        case .otherNetwork(let networks, let asked):
            "the address is of \(networks.map(\.rawValue).joined(separator: ", ")), not of \(asked.rawValue)"
        }
    }
}
