import Testing

@testable import Concord

@Suite struct PGPWordsTests {
    /// The example of PGP's documentation and of Wikipedia's article on the list.
    @Test func theWellKnownExample() throws {
        let bytes = try #require([UInt8](hex: "e58294f2e9a227486e8b061b31cc528fd7fa3f19"))
        #expect(
            PGPWords.words(of: bytes).joined(separator: " ")
                == "topmost Istanbul Pluto vagabond treadmill Pacific brackish dictator goldfish Medusa afflict bravado "
                + "chatter revolver Dupont midsummer stopwatch whimsical cowbell bottomless")
        #expect(PGPWords.words(of: []).isEmpty)
    }

    /// A word says which byte it stands for, and whether its place is even.
    @Test func allWordsDiffer() {
        #expect(PGPWords.even.count == 256 && PGPWords.odd.count == 256)
        #expect(Set((PGPWords.even + PGPWords.odd).map { $0.lowercased() }).count == 512)
        for byte in UInt8.min...UInt8.max {
            #expect(PGPWords.words(of: [byte, byte]) == [PGPWords.even[Int(byte)], PGPWords.odd[Int(byte)]])
        }
    }

    /// FORMAT.md has the list, and the words of the key in its example.
    @Test func theDocumentSaysTheSame() throws {
        let document = try FormatDocument()
        let table = document["words"].split { $0 == " " || $0 == "\n" }.map(String.init)
        let list = (0..<256).flatMap { [[UInt8($0)].hex, PGPWords.even[$0], PGPWords.odd[$0]] }
        #expect(table == list)
        let key = try #require(
            PublicKey(hex: "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"))
        #expect(
            key.words.count == 10
                && document.lines.contains { $0.contains("`\(key.words.joined(separator: " "))`") })
    }
}
