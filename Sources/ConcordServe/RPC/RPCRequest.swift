/// One call of JSON-RPC, of version 1 or 2 (Bitcoin Core's `JSONRPCRequest::parse`).
struct RPCRequest {
    /// Nil where the call has none; null as long as that is not known.
    private(set) var id: JSONValue? = .null
    private(set) var isVersion2 = false
    private(set) var method = ""
    /// An array or an object.
    private(set) var parameters = JSONValue.array([])

    /// A call of version 2 without an id gets no answer.
    var isNotification: Bool { isVersion2 && id == nil }

    /// Reads what it can before it throws, so that the answer has the id.
    mutating func read(_ value: JSONValue) throws(RPCError) {
        guard case .object(let members) = value else {
            throw RPCError(.invalidRequest, "Invalid Request object")
        }
        id = members.first { $0.name == "id" }?.value
        switch value["jsonrpc"] {
        case .null?, .string("1.0")?: break
        case .string("2.0")?: isVersion2 = true
        case .string?: throw RPCError(.invalidRequest, "JSON-RPC version not supported")
        default: throw RPCError(.invalidRequest, "jsonrpc field must be a string")
        }
        switch value["method"] {
        case .string(let name)?: method = name
        case .null?: throw RPCError(.invalidRequest, "Missing method")
        default: throw RPCError(.invalidRequest, "Method must be a string")
        }
        switch value["params"] {
        case .null?: break
        case .array(let values)?: parameters = .array(values)
        case .object(let members)?: parameters = .object(members)
        default: throw RPCError(.invalidRequest, "Params must be an array or object")
        }
    }

    /// The answer, in the shape of the call's version (`JSONRPCReplyObj`).
    func reply(_ result: Result<JSONValue, RPCError>) -> JSONValue {
        var members: [JSONValue.Member] = []
        if isVersion2 { members.append(.init(name: "jsonrpc", value: .string("2.0"))) }
        switch result {
        case .success(let value):
            members.append(.init(name: "result", value: value))
            if !isVersion2 { members.append(.init(name: "error", value: .null)) }
        case .failure(let error):
            if !isVersion2 { members.append(.init(name: "result", value: .null)) }
            members.append(.init(name: "error", value: error.json))
        }
        if let id { members.append(.init(name: "id", value: id)) }
        return .object(members)
    }
}
