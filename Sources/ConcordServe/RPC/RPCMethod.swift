/// A method: its name, what it takes, and what it does.
struct RPCMethod: Sendable {
    struct Parameter: Sendable {
        let name: String
        /// As `JSONValue.type` has it; nil for one that takes several.
        let type: String?
        var isRequired = false
    }

    let name: String
    let parameters: [Parameter]
    /// One sentence.
    let summary: String
    /// Given a value for each parameter, null for those that were left out.
    let call: @Sendable ([JSONValue]) throws -> JSONValue

    /// `getblockheader "blockhash" ( verbose )`, as Bitcoin Core's help begins.
    var usage: String {
        let required = parameters.filter(\.isRequired).map {
            $0.type == "string" ? "\"\($0.name)\"" : $0.name
        }
        let optional = parameters.filter { !$0.isRequired }.map(\.name)
        return ([name] + required + (optional.isEmpty ? [] : ["( \(optional.joined(separator: " ")) )"]))
            .joined(
                separator: " ")
    }

    /// Calls it with parameters as they came (Bitcoin Core's `RPCMethod::HandleRequest`).
    func call(_ given: JSONValue) throws -> JSONValue {
        var values = try positional(given)
        guard values.count <= parameters.count, values.count >= parameters.count(where: \.isRequired) else {
            throw RPCError(.misc, "\(usage)\n\n\(summary)\n")
        }
        values += [JSONValue](repeating: .null, count: parameters.count - values.count)
        let wrong = zip(parameters, values).enumerated().compactMap { i, pair -> String? in
            let (parameter, value) = pair
            guard let type = parameter.type, value.type != type, parameter.isRequired || value != .null else {
                return nil
            }
            return
                "    \"Position \(i + 1) (\(parameter.name))\": \"JSON value of type \(value.type) is not of "
                + "expected type \(type)\""
        }
        guard wrong.isEmpty else {
            throw RPCError(.type, "Wrong type passed:\n{\n\(wrong.joined(separator: ",\n"))\n}")
        }
        return try call(values)
    }

    /// Parameters by name put into their places, those before them null; `args` has the first ones by their places
    /// (`transformNamedArguments`).
    private func positional(_ given: JSONValue) throws(RPCError) -> [JSONValue] {
        if case .array(let values) = given { return values }
        guard case .object(let members) = given else { return [] }
        var values: [JSONValue] = []
        var named = Dictionary(members.map { ($0.name, $0.value) }) { $1 }
        if case .array(let first)? = named.removeValue(forKey: "args") { values = first }
        let byPlace = values.count
        for (i, parameter) in parameters.enumerated() {
            guard let value = named.removeValue(forKey: parameter.name) else { continue }
            guard i >= byPlace else {
                throw RPCError(
                    .invalidParameter,
                    "Parameter \(parameter.name) specified twice both as positional and named argument")
            }
            values += [JSONValue](repeating: .null, count: i - values.count) + [value]
        }
        if let unknown = named.keys.min() {
            throw RPCError(.invalidParameter, "Unknown named parameter \(unknown)")
        }
        return values
    }
}
