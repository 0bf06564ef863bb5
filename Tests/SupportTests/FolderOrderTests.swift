import Foundation
import TestSupport
import Testing

/// The folders of a module stay one above the other.
@Suite struct FolderOrderTests {
    /// The folders of modules whose folders are floors, from the lowest to the highest.
    private static let floors = [
        "Concord": [
            "Bytes", "Keys", "Terms", "Layout", "Scripts", "Descriptors", "Chain", "Coins", "Filter", "Dump",
            "Changes",
            "Format",
            "Torrent", "Agreement", "Trust",
        ],
        "ConcordClient": [
            "Remote", "Trust", "Survey", "Headers", "Follow", "Wallet", "Install", "Query", "Mirror",
            "Evidence",
            "Agreement", "Client",
        ],
    ]

    @Test(arguments: floors.keys.sorted()) func foldersUseThoseBelow(_ module: String) throws {
        let root = "\(ChainFixture.repository)/Sources/\(module)"
        let paths = try FileManager.default.subpathsOfDirectory(atPath: root).filter {
            $0.hasSuffix(".swift")
        }
        #expect(!paths.isEmpty)
        let sources = try paths.map { path in
            FolderOrder.Source(
                path: path, text: try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8))
        }
        #expect(FolderOrder(Self.floors[module] ?? []).faults(in: sources) == [])
    }

    private static let high = """
        public struct Roof {
            enum Tile { case red }
        }
        private enum Gutter {}
        public typealias Slate = Roof
        """

    private static func faults(_ low: String) -> [String] {
        FolderOrder(["Low", "High"]).faults(in: [
            FolderOrder.Source(path: "Low/Wall.swift", text: low),
            FolderOrder.Source(path: "High/Roof.swift", text: high),
        ])
    }

    @Test func usesUpwardsAreFound() {
        let fault = { (line: Int, name: String) in "Low/Wall.swift:\(line): \(name) is of High, above Low" }
        #expect(Self.faults("struct Wall {\n    var top: Roof?\n}") == [fault(2, "Roof")])
        #expect(
            Self.faults("extension Roof {}\n\nlet slate = [Slate]()") == [
                fault(1, "Roof"), fault(3, "Slate"),
            ])
        #expect(Self.faults(#"let words = "a \(Roof.count("(")) b""#) == [fault(1, "Roof")])
        #expect(
            Self.faults("/* a\n/* b */ Roof\n*/ let text = \"\"\"\n    Roof\n    \"\"\" + Roof.name") == [
                fault(5, "Roof")
            ])
        #expect(Self.faults("let range = 0...Roof.height") == [fault(1, "Roof")])
    }

    @Test(arguments: [
        "// Roof", "/// `Roof`", "/* Roof /* Roof */ Roof */", #"let a = "Roof \" Roof""#,
        ##"let a = #"Roof " \(Roof)"#"##, "let a = \"\"\"\n    Roof \" Roof\n    \"\"\"",
        "let a = House.Roof()",
        "let a = [.Roof, Roofs, myRoof, Roof_2]", "private struct Roof {}\nlet a = Roof()",
        "let a = Tile.red, b = Gutter()",
        "func f(protocol: Wall) {}",
        "",
    ]) func otherTextIsNoUse(_ low: String) {
        #expect(Self.faults(low) == [])
    }

    @Test func everyFolderHasAFloor() {
        let sources = ["Low/A.swift", "B.swift", "Attic/C.swift"].map {
            FolderOrder.Source(path: $0, text: "")
        }
        #expect(
            FolderOrder(["Low", "High"]).faults(in: sources)
                == [
                    "the folder Attic has no floor", "there is no folder High",
                    "what is in no folder has no floor",
                ])
        #expect(FolderOrder(["", "Low", "Attic"]).faults(in: sources) == [])
    }
}
