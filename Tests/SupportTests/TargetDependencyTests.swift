import Foundation
import TestSupport
import Testing

/// What targets declare in Package.swift is what they import. The build's own check sees neither what is left over nor what
/// comes along with another dependency.
@Suite struct TargetDependencyTests {
    private struct Target {
        let name: String
        let isProgram: Bool
        /// Targets and products, as they are imported.
        let dependencies: Set<String>
        let imports: Set<String>
    }

    private static let targets = Result {
        let root = ChainFixture.repository
        let text = try String(contentsOfFile: "\(root)/Package.swift", encoding: .utf8)
        let start = /\.(target|executableTarget|testTarget)\(\s*name: "([\w-]+)"/
        let ends = text.matches(of: start).map(\.range.lowerBound).dropFirst() + [text.endIndex]
        return try zip(text.matches(of: start), ends).map { match, end in
            let rest = text[match.range.upperBound..<end]
            let path = rest.firstMatch(of: /path: "(.*?)"/).map { String($0.1) }
            let name = String(match.2)
            let declared = rest.firstMatch(of: /dependencies: \[(.*?)\]/.dotMatchesNewlines())?.1 ?? ""
            // Not the package that a product comes from.
            let names = declared.matches(of: /(package: )?"([\w-]+)"/).filter { $0.1 == nil }.map {
                String($0.2)
            }
            return Target(
                name: name, isProgram: match.1 == "executableTarget", dependencies: Set(names),
                imports: try imports(
                    below: "\(root)/\(path ?? (match.1 == "testTarget" ? "Tests" : "Sources") + "/\(name)")"))
        }
    }

    private static func imports(below folder: String) throws -> Set<String> {
        var imports: Set<String> = []
        for path in try FileManager.default.subpathsOfDirectory(atPath: folder) where path.hasSuffix(".swift")
        {
            let code = SwiftCode.of(try String(contentsOfFile: "\(folder)/\(path)", encoding: .utf8))
            let lines = code.matches(of: /(?:^|\n) *(?:@\w+ |public )?import (\w+)/)
            imports.formUnion(lines.map { String($0.1) })
        }
        return imports
    }

    @Test func targetsDeclareWhatTheyImport() throws {
        let targets = try Self.targets.get()
        #expect(targets.contains { $0.name == "Concord" && $0.imports == ["CCrypto", "CSecp256k1"] })
        let programs = Set(targets.filter(\.isProgram).map(\.name))
        let known = targets.reduce(into: Set(targets.map(\.name))) { $0.formUnion($1.dependencies) }
        for target in targets {
            let imports = target.imports.intersection(known)
            // Tests run programs, so they must be built, whether they look into them or not.
            let only = programs.subtracting(imports)
            #expect(imports == target.dependencies.subtracting(only), "\(target.name)")
        }
    }
}
