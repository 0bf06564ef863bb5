/// What a person typed or pasted where coins are asked for: an address, a `bitcoin:` URI with one in it, a scriptPubKey in hex,
/// or a descriptor.
///
/// A scriptPubKey in hex is taken as it is where it has one of the forms that wallets pay to: P2PKH, P2SH, a witness program
/// (BIP 141), P2PK, bare multisig. Other hex could as well be a txid, a key or a hash, of which nobody should read "0 coins":
/// `raw(HEX)` says that it is a script, whatever its form; `raw()` is the empty one.
public struct TypedScript: Equatable, Sendable {
    /// What is meant: `addr` for an address, `raw` for a script in hex.
    public let descriptor: Descriptor
    /// The address, the hex or the descriptor with its checksum, without what was around it.
    public let text: String

    /// Reads what was typed, for a network. White space around it does not count.
    public init(_ typed: String, on network: Network) throws(TypedScriptError) {
        let text = try Self.cleaned(typed)
        if let uri = PaymentURI(text) {
            self = try TypedScript(plain: try Self.cleaned(try uri.address(on: network)), on: network)
        } else {
            self = try TypedScript(plain: text, on: network)
        }
    }

    private init(plain text: String, on network: Network) throws(TypedScriptError) {
        let failure: AddressError
        do throws(AddressError) {
            (descriptor, self.text) = (Descriptor(try Address(text, on: network)), text)
            return
        } catch {
            failure = error
        }
        if TypedScriptError.isDescriptor(text) {
            descriptor = try Self.descriptor(text, on: network)
            self.text = Self.isRaw(text) ? text : descriptor.description
            return
        }
        if text.count > 1, let bytes = [UInt8](hex: text.lowercased()) {
            if let known = Self.refusal(of: bytes, on: network) { throw known }
            (descriptor, self.text) = (Descriptor(raw: bytes), text)
            return
        }
        throw TypedScriptError.recognised(text) ?? .address(failure)
    }

    private static func descriptor(
        _ text: String, on network: Network
    ) throws(TypedScriptError) -> Descriptor {
        let descriptor: Descriptor
        do throws(DescriptorError) {
            descriptor = try Descriptor(isRaw(text) ? text.lowercased() : text)
        } catch {
            if case .secret(let secret) = error { throw .secret(secret) }
            throw .descriptor(error)
        }
        guard descriptor.networks.contains(network) else {
            throw .descriptorOfOthers(descriptor.networks, asked: network)
        }
        return descriptor
    }

    /// Hex can be in capitals, and then people write all of it so.
    private static func isRaw(_ text: String) -> Bool { text.lowercased().hasPrefix("raw(") }

    /// Without white space around it; throws where there is nothing, or something between that nobody can see.
    private static func cleaned(_ typed: String) throws(TypedScriptError) -> String {
        // By scalars: a space and a mark behind it are one character.
        let scalars = Array(typed.unicodeScalars)
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { throw .empty }
        let inner = scalars[first...last]
        var view = String.UnicodeScalarView()
        view.append(contentsOf: inner)
        let text = String(view)
        if TypedScriptError.isSeed(text) { throw .secret(.seed) }
        for (place, scalar) in inner.enumerated() {
            if scalar.properties.isWhitespace { throw .space }
            if scalar.isInvisible { throw .invisible(scalar, at: place) }
        }
        return text
    }

    /// Why hex without `raw()` is not taken for a script; nil where it has a form of one.
    private static func refusal(of bytes: [UInt8], on network: Network) -> TypedScriptError? {
        if let key = KeyScripts(bytes) { return .key(bytes, key, network) }
        if bytes.count == 32 {
            return .digest(
                KeyScripts.taproot(x: bytes[...]).flatMap { Address.text(for: $0, on: network) })
        }
        if bytes.withBytes({ ScriptCompression.isUnspendable($0) }) { return .unspendable }
        return isCommon(bytes) ? nil : .otherHex(bytes.count)
    }

    private static func isCommon(_ script: [UInt8]) -> Bool {
        Address.text(for: script, on: .main) != nil || ScriptForm.key(script) != nil
            || ScriptForm.multisig(script) != nil
    }
}

extension Unicode.Scalar {
    /// Whether it takes no place of its own on a screen: control and format characters, bidirectional marks, joiners, soft
    /// hyphens, the byte order mark, variation selectors.
    fileprivate var isInvisible: Bool {
        properties.isDefaultIgnorableCodePoint
            || [.control, .format].contains(properties.generalCategory)
    }
}
