import TestSupport
import Testing

@testable import Concord

@Suite struct AuthorityFileTests {
    static let text = """
        concord/1 authority
        name: alice
        network: main
        key: 0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798
        shards: 1024
        epoch: 1000
        first: 840000

        """

    static func parse(_ text: String) throws(ParseError) -> AuthorityFile {
        try AuthorityFile(parsing: Array(text.utf8))
    }

    @Test func textComesBack() throws {
        let file = try Self.parse(Self.text)
        #expect(file.text == Self.text)
        #expect("\(file.name)" == "alice" && file.network == .main && file.first == 840_000)
        #expect(
            file.key == SignatureTests.key && file.parameters == TreeParameters(shards: 1024, epoch: 1000))
    }

    @Test func everyFaultIsRefused() {
        TextFaults(text: Self.text) { _ = try AuthorityFile(parsing: $0) }.checkAll()
    }

    @Test(arguments: [
        ("name", "alice bob"), ("name", "-alice"), ("network", "mainnet"), ("key", "04" + CurvePointTests.x),
        ("key", "02" + String(repeating: "0", count: 63) + "5"), ("shards", "1000"), ("epoch", "0"),
        ("first", "10000000"), ("first", "840001"),
    ])
    func wrongValuesAreRefused(field: String, value: String) {
        #expect(throws: ParseError.self) { try Self.parse(StatementTests.with(field, value, in: Self.text)) }
    }

    @Test func theLongestFitsItsLimit() throws {
        var file = try Self.parse(Self.text)
        file.name = try #require(AuthorityName(String(repeating: "n", count: 40)))
        file.network = .testnet4
        file.parameters = TreeParameters(shards: 4096, epoch: 100_000)
        file.first = 9_900_000
        #expect(file.text.utf8.count <= AuthorityFile.maxBytes)
        #expect(try Self.parse(file.text) == file)
    }
}
