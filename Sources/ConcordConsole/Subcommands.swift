import ArgumentParser
import Concord

/// The names of a program's commands, and what somebody may have meant who mistyped one.
enum Subcommands {
    /// Throws a `ValidationError` unless the words in front of the first option name commands. Behind the name of a command
    /// that has no commands of its own come its arguments, which are not looked at.
    static func check(_ arguments: [String], of root: any ParsableCommand.Type) throws {
        var words = arguments.prefix { !$0.hasPrefix("-") }
        let isHelp = words.first == "help"
        if isHelp { words = words.dropFirst() }
        var command = root
        var path = name(of: root)
        for word in words {
            let known = command.configuration.subcommands
            if known.isEmpty, !isHelp { return }
            if let next = known.first(where: { name(of: $0) == word }) {
                command = next
                path += " " + word
                continue
            }
            let names = known.map(name) + (path.contains(" ") || isHelp ? [] : ["help"])
            let meant = suggestion(for: word, among: names)
            throw ValidationError(
                "`\(path)` has no command `\(word.printable)`."
                    + (meant.map { " Did you mean `\(path) \($0)`?" } ?? ""))
        }
    }

    private static func name(of command: any ParsableCommand.Type) -> String { command._commandName }

    /// The name that takes the fewest changes, if they are few for its length.
    static func suggestion(for word: String, among names: [String]) -> String? {
        let distances = names.map { (name: $0, distance: distance(word.lowercased(), $0)) }
        let nearest = distances.min { $0.distance < $1.distance }
        return nearest.flatMap { $0.distance <= max(1, $0.name.count / 3) ? $0.name : nil }
    }

    /// How many characters have to be put in, left out, replaced, or swapped with the next one.
    static func distance(_ one: String, _ other: String) -> Int {
        let (a, b) = (Array(one.prefix(64)), Array(other))
        var before: [Int] = []
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, before[j - 1] + 1) }
                row.append(cost)
            }
            (before, last) = (last, row)
        }
        return last[b.count]
    }
}
