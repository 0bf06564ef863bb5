import Concord

/// A scriptPubKey, and the descriptor that says what it is.
struct DescribedScript: Equatable {
    let script: [UInt8]
    /// With its checksum, in the form in which Bitcoin Core's `scantxoutset` prints it.
    let descriptor: String

    /// The scripts of a descriptor: `addr()`, `raw()`, and `pk()` and `pkh()` of a public key in hex. A checksum behind it
    /// is checked. None of these has a range, so that `range` is not looked at.
    static func scripts(
        of text: String, range: ClosedRange<Int>, on network: Network
    ) throws(RPCError) -> [DescribedScript] {
        let parts = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let plain = String(parts[0])
        if parts.count == 2, DescriptorChecksum.of(plain) != String(parts[1]) {
            throw RPCError(
                .invalidAddressOrKey,
                "the checksum behind # does not fit the descriptor: it is mistyped or cut off")
        }
        guard plain.hasSuffix(")"), let open = plain.firstIndex(of: "(") else { throw unknown }
        let inner = plain[plain.index(after: open)...].dropLast()
        switch plain[..<open] {
        case "addr":
            do throws(AddressError) {
                return [DescribedScript(try Address(String(inner), on: network).script, on: network)]
            } catch {
                throw RPCError(.invalidAddressOrKey, "Address is not valid: \(error)")
            }
        case "raw":
            guard let script = [UInt8](hex: inner.lowercased()) else {
                throw RPCError(.invalidAddressOrKey, "Raw script is not hex")
            }
            return [DescribedScript(script, on: network)]
        case "pk": return [DescribedScript(try key(inner).key, on: network)]
        case "pkh":
            let script = try key(inner).keyHash
            return [
                DescribedScript(
                    script: script, descriptor: DescriptorChecksum.adding(to: "pkh(\(inner.lowercased()))"))
            ]
        default: throw unknown
        }
    }

    private static func key(_ hex: Substring) throws(RPCError) -> KeyScripts {
        guard let scripts = [UInt8](hex: hex.lowercased()).flatMap({ KeyScripts($0) }) else {
            throw RPCError(.invalidAddressOrKey, "what stands between ( and ) is no public key in hex")
        }
        return scripts
    }

    /// Nothing of the text itself, in which a private key may be.
    private static let unknown = RPCError(
        .invalidAddressOrKey,
        "not a descriptor that is understood here: addr(ADDRESS), raw(HEX), pk(KEY) and pkh(KEY) with a public key in hex are"
    )
}

extension DescribedScript {
    /// A script of which nothing else is known (Bitcoin Core's `InferDescriptor`, without multisig).
    init(_ script: [UInt8], on network: Network) {
        let plain =
            if script.count == 34, script.starts(with: [0x51, 32]), KeyScripts.taproot(x: script[2...]) != nil
            {
                "rawtr(\(script[2...].hex))"
            } else if let address = Address.text(for: script, on: network) {
                "addr(\(address))"
            } else if let key = Self.key(of: script) {
                "pk(\(key.hex))"
            } else {
                "raw(\(script.hex))"
            }
        self.init(script: script, descriptor: DescriptorChecksum.adding(to: plain))
    }

    /// The key of a P2PK script, if it is a point.
    private static func key(of script: [UInt8]) -> [UInt8]? {
        guard script.count == 35 || script.count == 67 else { return nil }
        let key = Array(script[1..<script.count - 1])
        return KeyScripts(key)?.key == script ? key : nil
    }
}

/// The eight characters behind a descriptor (BIP 380).
enum DescriptorChecksum {
    private static let input = Array(
        "0123456789()[],'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~ijklmnopqrstuvwxyzABCDEFGH`#\"\\ "
            .utf8)
    private static let output = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l")
    private static let generator: [UInt64] = [
        0xf5_dee5_1989, 0xa9_fdca_3312, 0x1b_ab10_e32d, 0x37_06b1_677a, 0x64_4d62_6ffd,
    ]

    static func adding(to descriptor: String) -> String {
        of(descriptor).map { "\(descriptor)#\($0)" } ?? descriptor
    }

    /// Nil for a text with characters that no descriptor has.
    static func of(_ descriptor: String) -> String? {
        var sum: UInt64 = 1
        func add(_ value: UInt64) {
            let top = sum >> 35
            sum = (sum & 0x7_ffff_ffff) << 5 ^ value
            for (i, term) in generator.enumerated() where top >> UInt64(i) & 1 == 1 { sum ^= term }
        }
        var groups: [UInt64] = []
        for character in descriptor.utf8 {
            guard let place = input.firstIndex(of: character) else { return nil }
            add(UInt64(place & 31))
            groups.append(UInt64(place >> 5))
            if groups.count == 3 {
                add(groups[0] * 9 + groups[1] * 3 + groups[2])
                groups = []
            }
        }
        if !groups.isEmpty { add(groups.reduce(0) { $0 * 3 + $1 }) }
        for _ in 0..<8 { add(0) }
        sum ^= 1
        return String((0..<8).map { output[Int(sum >> UInt64(5 * (7 - $0)) & 31)] })
    }
}
