import Concord

/// Values of parameters, held to what they stand for, in Bitcoin Core's words (rpc/util.cpp).
enum RPCArgument {
    /// A number that fits `int`.
    static func integer(_ value: JSONValue) throws(RPCError) -> Int {
        guard case .number(let digits) = value, let number = Int32(digits) else {
            throw RPCError(.misc, "JSON integer out of range")
        }
        return Int(number)
    }

    /// 64 hex digits, reversed as Bitcoin Core prints hashes (`ParseHashV`).
    static func hash(_ value: JSONValue, _ name: String) throws(RPCError) -> Digest {
        guard case .string(let text) = value else {
            throw RPCError(
                .type, "JSON value of type \(value.type) is not of expected type string")
        }
        if let hash = Digest(reversedHex: text.lowercased()) { return hash }
        guard text.utf8.count == 64 else {
            throw RPCError(
                .invalidParameter,
                "\(name) must be of length 64 (not \(text.utf8.count), for '\(text.prefix(100))')")
        }
        throw RPCError(.invalidParameter, "\(name) must be hexadecimal string (not '\(text)')")
    }

    /// The range of a descriptor: its end, or begin and end (`ParseDescriptorRange`); 0 to 1000 for null.
    static func range(_ value: JSONValue) throws(RPCError) -> ClosedRange<Int> {
        let (low, high): (Int, Int)
        switch value {
        case .null: return 0...1000
        case .number: (low, high) = (0, try bound(value))
        case .array(let ends) where ends.count == 2 && ends.allSatisfy { $0.type == "number" }:
            (low, high) = (try bound(ends[0]), try bound(ends[1]))
            guard low <= high else {
                throw RPCError(
                    .invalidParameter, "Range specified as [begin,end] must not have begin after end")
            }
        default: throw RPCError(.invalidParameter, "Range must be specified as end or as [begin,end]")
        }
        guard low >= 0 else { throw RPCError(.invalidParameter, "Range should be greater or equal than 0") }
        guard high >> 31 == 0 else { throw RPCError(.invalidParameter, "End of range is too high") }
        guard high < low + 1_000_000 else { throw RPCError(.invalidParameter, "Range is too large") }
        return low...high
    }

    private static func bound(_ value: JSONValue) throws(RPCError) -> Int {
        guard case .number(let digits) = value, let number = Int(digits) else {
            throw RPCError(.misc, "JSON integer out of range")
        }
        return number
    }
}
