import TestSupport
import Testing

@testable import Concord

@Suite struct BlockIDTests {
    static let hash = "0000000000000000000320283a032748cef8227873ff4872689bf23f1cda83a5"

    static func parse(_ bytes: [UInt8]) throws(ParseError) -> BlockID { try BlockID(parsingLatest: bytes) }

    @Test func textComesBack() throws {
        let block = try Self.parse(Array("840123 \(Self.hash)\n".utf8))
        #expect(block.height == 840_123 && block.hash.reversedHex == Self.hash)
        #expect("\(block)" == "840123 \(Self.hash)")
    }

    @Test func everyFaultIsRefused() {
        TextFaults(text: "840123 \(Self.hash)\n") { _ = try Self.parse($0) }.checkAll()
    }

    @Test(arguments: [
        "0840123 \(hash)\n", "10000000 \(hash)\n", "-1 \(hash)\n", "+1 \(hash)\n", " 1 \(hash)\n",
        "1  \(hash)\n",
        "1\t\(hash)\n", "1 \(hash) 2\n", "1\n", "\(hash)\n", "\(hash) 1\n", "1 \(hash.uppercased())\n",
        "1 \(hash)0\n",
        "1 \(hash.dropLast())\n", "1 \(hash)\n2 \(hash)\n",
    ])
    func anythingElseIsRefused(text: String) {
        #expect(throws: ParseError.self) { try Self.parse(Array(text.utf8)) }
    }
}
