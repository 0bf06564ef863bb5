/// What a call of JSON-RPC ends with, if not with a result (Bitcoin Core's rpc/protocol.h).
struct RPCError: Error, Equatable {
    enum Code: Int {
        case invalidRequest = -32600
        case methodNotFound = -32601
        case parse = -32700
        /// Whatever has no code of its own.
        case misc = -1
        case type = -3
        case invalidAddressOrKey = -5
        case invalidParameter = -8
    }

    let code: Code
    let message: String

    init(_ code: Code, _ message: String) {
        (self.code, self.message) = (code, message)
    }

    var json: JSONValue { .members(["code": .number(code.rawValue), "message": .string(message)]) }

    /// The HTTP status of a call by version 1 of the protocol that ends so (Bitcoin Core's `JSONErrorReply`).
    var status: Int {
        switch code {
        case .invalidRequest: 400
        case .methodNotFound: 404
        default: 500
        }
    }
}
