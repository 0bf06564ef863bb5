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
    private static let maxScripts = 100_000
    private static let maxBytes = 16 << 20

    func validate() throws {
        guard !scripts.isEmpty || !file.isEmpty else {
            throw ValidationError("give an address or a script, or - or --file for a list of them.")
        }
        guard scripts.count(where: { $0 == "-" }) < 2 else {
            throw ValidationError("- can be given once only.")
        }
    }

    /// What was asked for, in the order in which it was given: arguments, then files.
    func read() throws -> [TypedLine] {
        guard !TypedScriptError.isSeed(scripts) else {
            throw CommandFailure(.usage, "what was given \(TypedScriptError.secret(.seed))")
        }
        var lines: [TypedLine] = []
        for (i, text) in scripts.enumerated() {
            if text == "-" {
                lines += try list(
                    try File.readStandardInput(atMost: Self.maxBytes), named: "standard input")
            } else {
                let place = scripts.count == 1 ? "the argument" : "argument \(i + 1)"
                lines.append(TypedLine(text: text, place: place))
            }
        }
        for path in file {
            lines += try list(try File.read(path, atMost: Self.maxBytes), named: path.printable)
        }
        guard lines.count <= Self.maxScripts else {
            throw CommandFailure(
                .usage,
                "\(lines.count) addresses are more than the \(Self.maxScripts) that are taken at a time")
        }
        return lines
    }

    /// The lines of a list that are no comment.
    private func list(_ bytes: [UInt8], named name: String) throws -> [TypedLine] {
        var lines: [TypedLine] = []
        for (i, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .enumerated()
        {
            var text = String(decoding: line, as: UTF8.self)
            // What some editors write at the beginning of a file.
            if i == 0, text.unicodeScalars.first == "\u{feff}" { text.unicodeScalars.removeFirst() }
            text = Self.withoutComment(text)
            if text.allSatisfy(\.isWhitespace) { continue }
            lines.append(TypedLine(text: text, place: "\(name), line \(i + 1),"))
        }
        guard !lines.isEmpty else { throw CommandFailure(.usage, "\(name): holds no address and no script") }
        return lines
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

/// An address or a script as it was given, and where: for the message that refuses it.
struct TypedLine {
    let text: String
    let place: String

    /// What is meant, on a network.
    func descriptor(on network: Network) throws -> Descriptor {
        do throws(TypedScriptError) {
            return try TypedScript(text, on: network).descriptor
        } catch {
            throw CommandFailure(.usage, "\(place) \(error)")
        }
    }

    /// Refuses what is an address or a script of none of the networks.
    func check(on networks: [Network]) throws {
        var refusal: (any Error)?
        for network in networks {
            do {
                _ = try WantedScript(self, on: network)
                return
            } catch {
                refusal = refusal ?? error
            }
        }
        if let refusal { throw refusal }
    }
}

/// One address or script that somebody asks about.
struct WantedScript {
    /// As it was given.
    let query: String
    /// The address, the hex or raw(HEX), without what was around it: for people.
    let text: String
    let script: [UInt8]

    init(_ typed: TypedLine, on network: Network) throws {
        do throws(TypedScriptError) {
            let read = try TypedScript(typed.text, on: network)
            query = typed.text.trimmingCharacters(in: .whitespacesAndNewlines)
            text = read.text
            script = (try? read.descriptor.scripts(at: 0)[0]) ?? []
        } catch {
            throw CommandFailure(.usage, "\(typed.place)\(Self.shown(typed.text, error)) \(error)")
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
