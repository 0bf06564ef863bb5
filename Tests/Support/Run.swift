/// What a command prints, given `input`; nil if it fails.
public func run(_ command: String..., input: [UInt8] = []) throws -> [UInt8]? {
    let outcome = try Program(at: "/usr/bin/env").run(command, input: input, timeout: 600)
    return outcome.isSuccess ? outcome.standardOutput : nil
}
