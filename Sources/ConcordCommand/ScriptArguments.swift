import ArgumentParser
import Concord
import ConcordConsole
import ConcordFiles
import Foundation

/// The addresses and scripts that somebody asks about: on the command line, on standard input, in files.
struct ScriptArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A file with addresses or scripts, one a line. Empty lines and what follows a # do not count.",
            valueName: "file"))
    var file: [String] = []

    @Argument(
        help: ArgumentHelp(
            "Addresses, bitcoin: URIs, scripts in hex or raw(HEX); - reads them from standard input, one a line.",
            valueName: "address|script"))
    var scripts: [String] = []

    /// A list of more is refused: each address is compared with every coin of its shard.
    private static let mostScripts = 100_000
    private static let mostBytes = 16 << 20

    func validate() throws {
        guard !scripts.isEmpty || !file.isEmpty else {
            throw ValidationError("give an address or a script, or - or --file for a list of them.")
        }
        guard scripts.count(where: { $0 == "-" }) < 2 else {
            throw ValidationError("- can be given once only.")
        }
    }

    /// What was asked for, in the order in which it was given: arguments, then files.
    func wanted(on network: Network) throws -> [WantedScript] {
        guard !TypedScriptError.isSeed(scripts) else {
            throw CommandFailure(.usage, "what was given \(TypedScriptError.secret(.seed))")
        }
        var wanted: [WantedScript] = []
        for (i, text) in scripts.enumerated() {
            if text == "-" {
                wanted += try list(
                    try File.readStandardInput(atMost: Self.mostBytes), named: "standard input", on: network)
            } else {
                let place = scripts.count == 1 ? "the argument" : "argument \(i + 1)"
                wanted.append(try WantedScript(text, at: place, on: network))
            }
        }
        for path in file {
            let bytes = try File.read(path, atMost: Self.mostBytes)
            wanted += try list(bytes, named: path.printable, on: network)
        }
        guard wanted.count <= Self.mostScripts else {
            throw CommandFailure(
                .usage,
                "\(wanted.count) addresses are more than the \(Self.mostScripts) that are taken at a time")
        }
        return wanted
    }

    /// The lines of a list that are no comment.
    private func list(_ bytes: [UInt8], named name: String, on network: Network) throws -> [WantedScript] {
        var wanted: [WantedScript] = []
        for (i, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .enumerated()
        {
            var text = String(decoding: line, as: UTF8.self)
            // What some editors write at the beginning of a file.
            if i == 0, text.unicodeScalars.first == "\u{feff}" { text.unicodeScalars.removeFirst() }
            text = Self.withoutComment(text)
            if text.allSatisfy(\.isWhitespace) { continue }
            wanted.append(try WantedScript(text, at: "\(name), line \(i + 1),", on: network))
        }
        guard !wanted.isEmpty else { throw CommandFailure(.usage, "\(name): holds no address and no script") }
        return wanted
    }

    /// A # begins a comment at the beginning of a line, or behind white space.
    private static func withoutComment(_ line: String) -> String {
        var isBehindSpace = true
        for index in line.indices {
            if line[index] == "#", isBehindSpace { return String(line[..<index]) }
            isBehindSpace = line[index].isWhitespace
        }
        return line
    }
}

/// One address or script that somebody asks about.
struct WantedScript {
    /// As it was given.
    let query: String
    /// The address or the hex alone, for people.
    let text: String
    let script: [UInt8]

    /// - Parameter place: where it was given, for the message that refuses it.
    init(_ typed: String, at place: String, on network: Network) throws {
        do throws(TypedScriptError) {
            let read = try TypedScript(typed, on: network)
            query = typed.trimmingCharacters(in: .whitespacesAndNewlines)
            text = read.text
            script = read.script
        } catch {
            throw CommandFailure(.usage, "\(place)\(Self.shown(typed, error)) \(error)")
        }
    }

    /// The text itself, where it is nearly an address: anything else could be a secret.
    private static func shown(_ typed: String, _ error: TypedScriptError) -> String {
        guard case .address = error else { return "" }
        let text = typed.filter { !$0.isWhitespace }
        let isWitness = Network.allCases.contains { text.lowercased().hasPrefix($0.bech32 + "1") }
        guard
            isWitness && text.count <= 90
                || (26...36).contains(text.count) && "123mn".contains(text.prefix(1))
        else { return "" }
        return " (\(text.printable))"
    }

    func shard(_ parameters: TreeParameters) -> Int { script.withBytes(parameters.shard(of:)) }
}
