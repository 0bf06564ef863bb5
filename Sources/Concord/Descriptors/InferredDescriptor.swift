/// The descriptor that Bitcoin Core makes of a script of which nothing else is known (`InferDescriptor`).
enum InferredDescriptor {
    /// `pk`, `multi` and `rawtr` for the scripts that show their keys, `addr` for others that have an address, `raw` for the
    /// rest; without a checksum.
    static func text(of script: [UInt8], on network: Network) -> String {
        if let key = ScriptForm.key(script), isPlain(key) { return "pk(\(key.hex))" }
        if let (threshold, keys) = ScriptForm.multisig(script), keys.allSatisfy(isPlain) {
            return "multi(\(threshold),\(keys.map(\.hex).joined(separator: ",")))"
        }
        if script.count == 34, script.starts(with: [Op.one, 32]),
            ([2] + script[2...]).withBytes({ Secp256k1.parsed($0) }) != nil
        {
            return "rawtr(\(script[2...].hex))"
        }
        return Address.text(for: script, on: network).map { "addr(\($0))" } ?? "raw(\(script.hex))"
    }

    /// Whether a key begins as its length asks, and is not of the hybrid form (`CPubKey::IsValidNonHybrid`).
    private static func isPlain(_ key: ArraySlice<UInt8>) -> Bool {
        key.first.map { key.count == 33 ? $0 == 2 || $0 == 3 : $0 == 4 } ?? false
    }
}
