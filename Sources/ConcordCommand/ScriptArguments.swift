import ArgumentParser
import Concord
import ConcordConsole
import ConcordFiles
import Foundation

/// The addresses, scripts and descriptors that somebody asks about: on the command line, on standard input, in files.
struct ScriptArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A file with addresses, scripts or descriptors, one a line. Empty lines do not count, nor does what follows a # at the "
                + "beginning or behind white space.",
            valueName: "file"))
    var file: [String] = []

    @Option(
        help: ArgumentHelp(
            "The indexes of descriptors with /*, both ends included. (default: 0,1000, as Bitcoin Core's scantxoutset)",
            valueName: "end|begin,end"),
        transform: IndexRange.parse)
    var range: ClosedRange<UInt32> = 0...1000

    @Argument(
        help: ArgumentHelp(
            "Addresses, bitcoin: URIs, scripts in hex or raw(HEX), descriptors in quotes; - reads them from standard input, one a line.",
            valueName: "address|script|descriptor"))
    var scripts: [String] = []

    /// Of more scripts, or lines, nothing is asked at a time.
    static let maxScripts = 100_000
    private static let maxBytes = 16 << 20

    func validate() throws {
        guard scripts.count(where: { $0 == "-" }) < 2 else {
            throw ValidationError("- can be given once only.")
        }
    }

    /// Whether nothing was asked for.
    var isEmpty: Bool { scripts.isEmpty && file.isEmpty }

    /// What was asked for, in the order in which it was given: arguments, then files. Throws where it is nothing.
    func read() throws -> [TypedLine] {
        guard !isEmpty else {
            throw ValidationError(
                "give an address, a script or a descriptor, or - or --file for a list of them.")
        }
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
                "\(lines.count) lines are more than the \(Self.maxScripts) that are taken at a time")
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

/// An address, a script or a descriptor as it was given, and where: for the message that refuses it.
struct TypedLine {
    let text: String
    let place: String

    /// Refuses what means something on none of the networks.
    func check(on networks: [Network]) throws {
        var refusal: (any Error)?
        for network in networks {
            do {
                _ = try ScriptQuery(self, on: network)
                return
            } catch {
                refusal = refusal ?? error
            }
        }
        if let refusal { throw refusal }
    }

    /// The text itself, where it is nearly an address: anything else could be a secret.
    func shown(_ error: TypedScriptError) -> String {
        guard case .address = error else { return "" }
        let text = text.filter { !$0.isWhitespace }
        let isWitness = Network.allCases.contains { text.lowercased().hasPrefix($0.bech32 + "1") }
        guard
            isWitness && text.count <= 90
                || (26...36).contains(text.count) && "123mn".contains(text.prefix(1))
        else { return "" }
        return " (\(text.printable))"
    }
}

/// `--range`.
enum IndexRange {
    @Sendable static func parse(_ text: String) throws -> ClosedRange<UInt32> {
        let ends = text.split(separator: ",", omittingEmptySubsequences: false).map { UInt32($0) }
        guard (1...2).contains(ends.count), let last = ends[ends.count - 1], last < 1 << 31,
            let first = ends.count == 2 ? ends[0] : 0, first <= last
        else {
            throw ValidationError(
                "a range is its last index, or its first and its last with a comma between them, from 0 to 2147483647."
            )
        }
        return first...last
    }
}
