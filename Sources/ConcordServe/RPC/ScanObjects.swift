import Concord

/// The scripts that the objects of `scantxoutset` stand for (Bitcoin Core's `EvalDescriptorStringOrObject`), each once.
struct ScanObjects {
    /// A scriptPubKey, and its descriptor as Bitcoin Core would infer it.
    private(set) var scripts: [DescribedScript] = []

    /// Of more scripts in one scan none is looked for: each is compared with every coin of its shard.
    static let maxScripts = 100_000

    init(_ objects: [JSONValue], on network: Network) throws(RPCError) {
        var seen: Set<[UInt8]> = []
        for object in objects {
            for one in try Self.scripts(of: object, on: network) where seen.insert(one.script).inserted {
                scripts.append(one)
                guard scripts.count <= Self.maxScripts else {
                    throw RPCError(
                        .invalidParameter,
                        "these are more than the \(Self.maxScripts) scripts that are taken at a time")
                }
            }
        }
    }

    private static func scripts(
        of object: JSONValue, on network: Network
    ) throws(RPCError) -> [DescribedScript] {
        let (text, range): (JSONValue, ClosedRange<Int>)
        switch object {
        case .string: (text, range) = (object, try RPCArgument.range(.null))
        case .object:
            (text, range) = (object["desc"] ?? .null, try RPCArgument.range(object["range"] ?? .null))
            guard text != .null else {
                throw RPCError(.invalidParameter, "Descriptor needs to be provided in scan object")
            }
        default:
            throw RPCError(
                .invalidParameter, "Scan object needs to be either a string or an object")
        }
        guard case .string(let descriptor) = text else {
            throw RPCError(.type, "JSON value of type \(text.type) is not of expected type string")
        }
        return try DescribedScript.scripts(of: descriptor, range: range, on: network, most: maxScripts)
    }
}
