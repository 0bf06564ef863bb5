import Concord
import ConcordClient

/// What Bitcoin Core says of its chain (rpc/blockchain.cpp), of the chain up to the installed block.
struct ChainMethods: Sendable {
    let home: ServedHome
    /// Seconds since 1970.
    let now: @Sendable () -> Int64

    var all: [RPCMethod] {
        [
            RPCMethod(name: "getblockcount", parameters: [], summary: "The height of the installed block.") {
                _ in
                try home.read { .number($0.tip.height) }
            },
            RPCMethod(name: "getbestblockhash", parameters: [], summary: "The hash of the installed block.") {
                _ in try home.read { .string($0.tip.hash.reversedHex) }
            },
            RPCMethod(
                name: "getblockhash", parameters: [.init(name: "height", type: "number", isRequired: true)],
                summary: "The hash of the block at a height, up to the installed one."
            ) { values in try home.read { try Self.blockHash($0, values[0]) } },
            RPCMethod(
                name: "getblockheader",
                parameters: [
                    .init(name: "blockhash", type: "string", isRequired: true),
                    .init(name: "verbose", type: "bool"),
                ],
                summary:
                    "The header of a block, up to the installed one: an object, without nTx, or its 80 bytes in hex if "
                    + "verbose is false."
            ) { values in try home.read { try Self.header($0, values[0], values[1]) } },
            RPCMethod(
                name: "getblockchaininfo", parameters: [],
                summary:
                    "The installed block, and in warnings who agreed on it and how old it is. No verificationprogress: "
                    + "what is installed was verified."
            ) { _ in try chainInfo() },
        ]
    }

    private static func blockHash(_ state: ServedState, _ height: JSONValue) throws -> JSONValue {
        guard let block = try state.block(at: try RPCArgument.integer(height)) else {
            throw RPCError(.invalidParameter, "Block height out of range")
        }
        return .string(block.hash.reversedHex)
    }

    private static func header(
        _ state: ServedState, _ hash: JSONValue, _ verbose: JSONValue
    ) throws -> JSONValue {
        guard let found = try state.header(of: try RPCArgument.hash(hash, "hash")) else {
            throw RPCError(.invalidAddressOrKey, "Block not found")
        }
        if verbose == .bool(false) { return .string(found.bytes.hex) }
        let (header, height) = (found.header, found.height)
        let (work, medianTime) = try state.sums(at: height)
        let own = JSONValue.members([
            "hash": .string(header.hash.reversedHex),
            "confirmations": .number(state.tip.height - height + 1), "height": .number(height),
            "version": .number(header.version),
            "versionHex": .string(hex(UInt32(bitPattern: header.version))),
            "merkleroot": .string(header.merkleRoot.reversedHex), "time": .number(header.time),
            "mediantime": .number(medianTime), "nonce": .number(header.nonce),
            "bits": .string(hex(header.bits)), "target": .string(Target(bits: header.bits)?.hex ?? ""),
            "difficulty": .number(Target.difficulty(bits: header.bits)), "chainwork": .string(hex(work)),
        ])
        var neighbours: [JSONValue.Member] = []
        if height > 0 {
            neighbours.append(.init(name: "previousblockhash", value: .string(header.parent.reversedHex)))
        }
        if let next = try state.block(at: height + 1) {
            neighbours.append(.init(name: "nextblockhash", value: .string(next.hash.reversedHex)))
        }
        return own.adding(neighbours)
    }

    private func chainInfo() throws -> JSONValue {
        let passedOver = try home.contradiction()
        return try home.read { state in
            guard let found = try state.header(at: state.tip.height) else { throw ServeError.noHeaders }
            let header = found.header
            let (work, medianTime) = try state.sums(at: found.height)
            return .members([
                "chain": .string(state.network.rawValue), "blocks": .number(found.height),
                "headers": .number(state.headersHeight),
                "bestblockhash": .string(header.hash.reversedHex), "bits": .string(Self.hex(header.bits)),
                "target": .string(Target(bits: header.bits)?.hex ?? ""),
                "difficulty": .number(Target.difficulty(bits: header.bits)), "time": .number(header.time),
                "mediantime": .number(medianTime),
                // As a node's that has been started now: its newest block is a day old (DEFAULT_MAX_TIP_AGE).
                "initialblockdownload": .bool(now() - Int64(header.time) > 86_400),
                "chainwork": .string(Self.hex(work)),
                // No block is here, so the lowest that is would be the next.
                "size_on_disk": .number(0), "pruned": .bool(true), "pruneheight": .number(found.height + 1),
                "automatic_pruning": .bool(false),
                "warnings": .array(warnings(state, header, passedOver).map(JSONValue.string)),
            ])
        }
    }

    private func warnings(
        _ state: ServedState, _ header: BlockHeader, _ contradiction: Home.Contradiction?
    ) -> [String] {
        let names = state.installed.authorities
        let hours = max(0, now() - Int64(header.time)) / 3600
        var warnings = [
            "This is no node: it answers from the set after block \(state.tip.height), of "
                + "\(Timestamp.text(Int64(header.time))), \(hours) \(hours == 1 ? "hour" : "hours") ago, "
                + (names.count == 1
                    ? "attested by \(names[0]) alone" : "agreed by \(names.joined(separator: ", "))")
                + "; `concord fetch` brings a newer one"
        ]
        if let contradiction {
            warnings.append(
                "Authorities of the list contradict each other about block \(contradiction.block): do not use this set"
            )
        }
        return warnings
    }

    private static func hex(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// A number of 256 bits, as Bitcoin Core prints them.
    private static func hex(_ work: UInt128) -> String { String(repeating: "0", count: 32) + work.hex }
}
