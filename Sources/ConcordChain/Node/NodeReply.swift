import Concord
import Foundation

/// The reply to a call.
struct NodeReply<R: Decodable>: Decodable {
    let result: R?
    let error: NodeFailure?
    let id: Int?

    fileprivate func get(id: Int, _ subject: String) throws(NodeError) -> R {
        guard self.id == id else {
            throw NodeError(.garbage, subject, "the answer is to another call: \(self.id ?? 0), not \(id)")
        }
        if let error { throw error.asError(subject) }
        guard let result else {
            throw NodeError(.garbage, subject, "the answer has neither result nor error")
        }
        return result
    }
}

/// An error of the node's own (Bitcoin Core's rpc/protocol.h).
struct NodeFailure: Decodable {
    let code: Int
    let message: String

    /// What the node said, and what to do where that is known.
    func asError(_ subject: String) -> NodeError {
        let words = NodeJSON.shown(message)
        return switch code {
        case -28: NodeError(.passing, subject, "the node is warming up: \(words)")
        case _ where message.contains("pruned data"):
            NodeError(
                .unsuitable, subject,
                "the node has pruned this block: «\(words)». Use a node that keeps all blocks (prune=0), or give a "
                    + "folder that has the block with --datadir. A publisher can also leave out the blocks between: "
                    + "begin another --tree with the same --key and --state, --from-dump a dump of the node's set "
                    + "(dumptxoutset, at the first height of an epoch; of the 100 blocks up to it the node must have all)"
            )
        case -32601:
            NodeError(
                .refused(code), subject,
                "the node does not know this method: «\(words)»; it is too old, or none")
        default: NodeError(.refused(code), subject, "the node says: «\(words)» (error \(code))")
        }
    }
}

/// Answers taken apart.
enum NodeJSON {
    /// The most bytes of an answer that is no block.
    static let maxBytes = 16 << 20

    /// Some of what somebody else wrote, safe to print.
    static func shown(_ text: String) -> String {
        let line = String(text.prefix(300)).printable
        return text.count > 300 ? line + "…" : line
    }

    /// A short text, or the message of an error in JSON; nil for an empty answer.
    static func words(_ bytes: [UInt8]) -> String? {
        if let reply = try? decode(bytes.prefix(1 << 16)) as NodeReply<Ignored>, let error = reply.error {
            return "«\(shown(error.message))»"
        }
        let text = String(decoding: bytes.prefix(1200), as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        return text.isEmpty ? nil : "«\(shown(text))»"
    }

    static func decode<T: Decodable>(_ bytes: some Collection<UInt8>) throws -> T {
        try JSONDecoder().decode(T.self, from: Data(bytes))
    }

    /// The result of one call.
    static func result<T: Decodable>(
        of bytes: [UInt8], status: Int = 200, id: Int, _ subject: String
    ) throws(NodeError) -> T {
        let reply: NodeReply<T>
        do { reply = try decode(bytes) } catch { throw garbage(subject, bytes, status, error) }
        return try reply.get(id: id, subject)
    }

    /// The results of a batch, in the order of the ids; each must be there once.
    static func results<T: Decodable>(
        of bytes: [UInt8], status: Int, ids: [Int], _ subject: String
    ) throws(NodeError) -> [Result<T, NodeError>] {
        let replies: [NodeReply<T>]
        do {
            replies = try decode(bytes)
        } catch {
            // What goes wrong before the first call comes as one object.
            if let reply = try? decode(bytes) as NodeReply<Ignored>, let failure = reply.error {
                throw failure.asError(subject)
            }
            throw garbage(subject, bytes, status, error)
        }
        var byID: [Int: NodeReply<T>] = [:]
        for reply in replies { byID[reply.id ?? 0] = reply }
        guard replies.count == ids.count, byID.count == ids.count else {
            throw NodeError(
                .garbage, subject,
                "\(ids.count) calls were answered with \(replies.count) replies, or with some twice")
        }
        var results: [Result<T, NodeError>] = []
        for id in ids {
            guard let reply = byID[id] else {
                throw NodeError(.garbage, subject, "a call of many was not answered")
            }
            do throws(NodeError) {
                results.append(.success(try reply.get(id: id, subject)))
            } catch {
                if error.kind == .passing || error.kind == .garbage { throw error }
                results.append(.failure(error))
            }
        }
        return results
    }

    /// The error for an answer that cannot be read.
    static func garbage(
        _ subject: String, _ bytes: [UInt8], _ status: Int, _ error: (any Error)? = nil
    ) -> NodeError {
        var place = ""
        if case .keyNotFound(let key, _)? = error as? DecodingError {
            place = ", without «\(key.stringValue)»"
        }
        if case .typeMismatch(_, let context)? = error as? DecodingError {
            place = ", with another type at «\(context.codingPath.map(\.stringValue).joined(separator: "."))»"
        }
        let words = words(Array(bytes.prefix(100))) ?? "nothing"
        return NodeError(
            .garbage, subject,
            "status \(status) with \(words)\(place), which is no answer to this: is this the RPC port of a "
                + "Bitcoin Core node?")
    }
}

/// JSON of any kind.
struct Ignored: Decodable {
    init(from decoder: any Decoder) throws {}
}
