/// The folders of a module as floors: what a folder uses is declared in it or in folders below.
public struct FolderOrder {
    /// A source, by its path from the module's folder.
    public struct Source {
        let path: String
        /// The first folder of the path; empty for a file in none.
        let folder: String
        /// The types that folders above may use: those at the top of the file that are not private.
        let types: [String]
        /// All types, inner ones too.
        let allTypes: Set<String>
        /// Names that are no members of anything, with their lines.
        let uses: [(name: String, line: Int)]

        public init(path: String, text: String) {
            self.path = path
            folder = path.contains("/") ? String(path.prefix { $0 != "/" }) : ""
            var types: [String] = []
            var allTypes: Set<String> = []
            var uses: [(name: String, line: Int)] = []
            var depth = 0
            for (i, line) in SwiftCode.of(text).split(separator: "\n", omittingEmptySubsequences: false)
                .enumerated()
            {
                var last = ""
                var isPrivate = false
                var rest = line
                while let character = rest.first {
                    let word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
                    if word.isEmpty {
                        if character == "{" { depth += 1 }
                        if character == "}" { depth -= 1 }
                        if character != " " { last = "" }
                        rest.removeFirst()
                        continue
                    }
                    if Self.declaring.contains(last) {
                        allTypes.insert(String(word))
                        if depth == 0, !isPrivate { types.append(String(word)) }
                    } else if !Self.isMember(line[..<word.startIndex]) {
                        uses.append((String(word), i + 1))
                    }
                    isPrivate = isPrivate || word == "private" || word == "fileprivate"
                    last = String(word)
                    rest = rest[word.endIndex...]
                }
            }
            (self.types, self.allTypes, self.uses) = (types, allTypes, uses)
        }

        private static let declaring: Set<String> = [
            "struct", "class", "enum", "actor", "protocol", "typealias",
        ]

        /// Whether what follows is a member: behind one dot; more are a range.
        private static func isMember(_ before: Substring) -> Bool {
            before.last == "." && before.dropLast().last != "."
        }
    }

    /// From the lowest to the highest.
    public let folders: [String]

    public init(_ folders: [String]) { self.folders = folders }

    /// What does not keep to the order, in words. A name that a folder also has for an inner type of its own is taken for
    /// that.
    public func faults(in sources: [Source]) -> [String] {
        let floors = Dictionary(uniqueKeysWithValues: folders.enumerated().map { ($1, $0) })
        let byFolder = Dictionary(grouping: sources, by: \.folder)
        var faults = folders.filter { byFolder[$0] == nil }.map { "there is no folder \($0)" }
        var homes: [String: String] = [:]
        for (folder, sources) in byFolder {
            if floors[folder] == nil {
                faults.append(
                    "\(folder.isEmpty ? "what is in no folder" : "the folder \(folder)") has no floor")
            }
            for type in sources.flatMap(\.types) { homes[type] = folder }
        }
        for (folder, sources) in byFolder {
            guard let floor = floors[folder] else { continue }
            let own = sources.reduce(into: Set<String>()) { $0.formUnion($1.allTypes) }
            for source in sources {
                for use in source.uses where !own.contains(use.name) {
                    guard let home = homes[use.name], let above = floors[home], above > floor else {
                        continue
                    }
                    faults.append(
                        "\(source.path):\(use.line): \(use.name) is of \(home), above \(folder)")
                }
            }
        }
        return faults.sorted()
    }
}
