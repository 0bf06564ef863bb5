import Foundation

/// A parameter of a call.
public enum NodeParameter: Encodable, Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral
{
    case text(String)
    case number(Int)
    case bool(Bool)

    public init(stringLiteral text: String) { self = .text(text) }
    public init(integerLiteral number: Int) { self = .number(number) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let text): try container.encode(text)
        case .number(let number): try container.encode(number)
        case .bool(let value): try container.encode(value)
        }
    }
}

/// A call of JSON-RPC 1.x, as Bitcoin Core speaks it (rpc/request.cpp).
struct NodeCall: Encodable {
    let jsonrpc = "1.0"
    let id: Int
    let method: String
    let params: [NodeParameter]

    /// Calls in one request; the node works them off one after the other, and has other threads for other requests.
    static let maxInBatch = 250

    private enum CodingKeys: CodingKey { case jsonrpc, id, method, params }

    /// The request's bytes.
    static func body(_ call: some Encodable) -> [UInt8] {
        guard let data = try? JSONEncoder().encode(call) else {
            preconditionFailure("text and numbers are not JSON")
        }
        return [UInt8](data)
    }
}
