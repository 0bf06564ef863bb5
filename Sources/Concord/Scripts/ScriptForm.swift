/// The forms of scripts that show their keys (Bitcoin Core's `Solver`). Whether a key is a point is not asked: such outputs
/// are in the set.
enum ScriptForm {
    /// The key of P2PK: 33 bytes, or 65.
    static func key(_ script: [UInt8]) -> ArraySlice<UInt8>? {
        guard script.last == Op.checkSig else { return nil }
        switch script.count {
        case 35: return script[0] == 33 && [2, 3].contains(script[1]) ? script[1..<34] : nil
        case 67: return script[0] == 65 && [4, 6, 7].contains(script[1]) ? script[1..<66] : nil
        default: return nil
        }
    }

    /// m of n keys, 1 ≤ m ≤ n ≤ 16, of 33 or 65 bytes each (`MatchMultisig`).
    static func multisig(_ script: [UInt8]) -> (threshold: Int, keys: [ArraySlice<UInt8>])? {
        guard script.count >= 37, script.last == Op.checkMultisig, let least = number(script[0]),
            let most = number(script[script.count - 2]), least <= most
        else { return nil }
        var at = 1
        var keys: [ArraySlice<UInt8>] = []
        while at < script.count - 2 {
            let end = at + 1 + Int(script[at])
            guard script[at] == 33 || script[at] == 65, end <= script.count - 2 else { return nil }
            keys.append(script[(at + 1)..<end])
            at = end
        }
        return keys.count == most ? (least, keys) : nil
    }

    /// OP_1 to OP_16.
    private static func number(_ opcode: UInt8) -> Int? {
        (Op.one...Op.sixteen).contains(opcode) ? Int(opcode - Op.one) + 1 : nil
    }
}
