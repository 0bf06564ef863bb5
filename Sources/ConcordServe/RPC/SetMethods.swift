import Concord
import ConcordClient

/// What Bitcoin Core says of its set of coins (rpc/blockchain.cpp), of the installed one.
struct SetMethods: Sendable {
    let home: ServedHome
    let scan: SetScan

    var all: [RPCMethod] {
        [
            RPCMethod(
                name: "gettxoutsetinfo",
                parameters: [
                    .init(name: "hash_type", type: "string"), .init(name: "hash_or_height", type: nil),
                    .init(name: "use_index", type: "bool"),
                ],
                summary:
                    "What the authorities agreed on of the installed set: hash_type muhash or none, of the installed block. "
                    + "Without bogosize, transactions and disk_size, which they do not say."
            ) { values in try home.read { try Self.info($0, values[0], values[1]) } },
            RPCMethod(
                name: "scantxoutset",
                parameters: [
                    .init(name: "action", type: "string", isRequired: true),
                    .init(name: "scanobjects", type: "array"),
                ],
                summary:
                    "The coins of descriptors in the installed set: start with scanobjects, each a descriptor or an object of "
                    + "desc and range; status or abort of the scan under way. Only the shards of the scripts are looked at."
            ) { values in try call(values[0], values[1]) },
        ]
    }

    private static func info(
        _ state: ServedState, _ type: JSONValue, _ block: JSONValue
    ) throws -> JSONValue {
        let statement = state.installed.statement
        let wanted = if case .string(let name) = type { name } else { "hash_serialized_3" }
        switch wanted {
        case "muhash", "none": break
        case "hash_serialized_3":
            throw RPCError(
                .invalidParameter,
                "hash_serialized_3 needs a pass over all coins in another order, which `concord export` makes and "
                    + "prints; ask for hash_type muhash or none")
        default: throw RPCError(.invalidParameter, "'\(wanted)' is not a valid hash_type")
        }
        guard try isInstalled(block, state) else {
            throw RPCError(
                .invalidParameter,
                "only the installed block is known here, height \(state.tip.height), "
                    + "\(state.tip.hash.reversedHex): `concord fetch --height` brings another")
        }
        let head: [JSONValue.Member] = [
            .init(name: "height", value: .number(statement.height)),
            .init(name: "bestblock", value: .string(statement.block.reversedHex)),
            .init(name: "txouts", value: .number(statement.coins)),
        ]
        let muhash = JSONValue.Member(name: "muhash", value: .string(statement.muhash.reversedHex))
        let amount = JSONValue.Member(
            name: "total_amount", value: .number(Amount.bitcoin(statement.amount)))
        return .object(head + (wanted == "muhash" ? [muhash] : []) + [amount])
    }

    /// Whether a height or a hash, or null, is that of the installed block.
    private static func isInstalled(_ block: JSONValue, _ state: ServedState) throws -> Bool {
        switch block {
        case .null: true
        case .number: try RPCArgument.integer(block) == state.tip.height
        default: try RPCArgument.hash(block, "hash_or_height") == state.tip.hash
        }
    }

    private func call(_ action: JSONValue, _ objects: JSONValue) throws -> JSONValue {
        guard case .string(let action) = action else { return .null }
        switch action {
        case "status": return scan.progress.map { .members(["progress": .number($0)]) } ?? .null
        case "abort": return .bool(scan.abort())
        case "start":
            return try scan.alone {
                guard case .array(let objects) = objects else {
                    throw RPCError(.misc, "scanobjects argument is required for the start action")
                }
                let wanted = try ScanObjects(objects, on: home.network)
                return try home.read { try scan.run(wanted, in: $0) }
            }
        default: throw RPCError(.invalidParameter, "Invalid action '\(action.prefix(100))'")
        }
    }
}
