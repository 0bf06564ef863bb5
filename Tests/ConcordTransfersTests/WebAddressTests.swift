import Testing

@testable import ConcordTransfers

@Suite struct WebAddressTests {
    @Test(
        arguments: [
            ("http://bücher.example/ä", "http://xn--bcher-kva.example/%c3%a4"),
            ("https://BÜCHER.example:444/", "https://xn--bcher-kva.example:444/"),
            ("http://例え.テスト/a b", "http://xn--r8jz45g.xn--zckzah/a%20b"),
            ("http://xn--bcher-kva.example/", "http://xn--bcher-kva.example/"),
            ("http://example.com", "http://example.com/"),
            ("http://example.com/a/../b/./c", "http://example.com/b/c"),
        ])
    func urls(text: String, url: String) throws {
        #expect(try WebAddress(text).url == url)
    }

    /// What counts as one host does not depend on how its name is written.
    @Test(arguments: [
        "http://bücher.example/ä", "http://xn--bcher-kva.example/", "http://bücher.example:80/x",
        "http://XN--BCHER-KVA.example", "http://me:secret@bücher.example/",
    ])
    func hosts(text: String) throws {
        #expect(try WebAddress(text).host == "http://xn--bcher-kva.example:80")
    }

    /// Names that DNS cannot have.
    @Test func namesThatCannotBe() {
        for text in ["http://ü\(String(repeating: "x", count: 100)).example/", "http://a\u{FFFD}.example/"] {
            #expect(throws: Failure.Kind.self) { try WebAddress(text) }
        }
    }

    @Test func portWhereNoneIsNamed() throws {
        #expect(try WebAddress("http://a.example/", port: 8332).host == "http://a.example:8332")
        #expect(try WebAddress("http://a.example:81/", port: 8332).host == "http://a.example:81")
        #expect(try WebAddress("https://a.example/", port: 8332).host == "https://a.example:443")
    }

    @Test func passwordsAreNotShown() {
        #expect(WebAddress.shown("http://me:secret@a.example/b") == "http://me@a.example/b")
        #expect(!WebAddress.shown("http://a.example/\u{1b}[31m").unicodeScalars.contains { $0.value < 32 })
    }
}
