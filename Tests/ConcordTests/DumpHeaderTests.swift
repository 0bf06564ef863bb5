import TestSupport
import Testing

@testable import Concord

@Suite struct DumpHeaderTests {
    static func parse(_ bytes: [UInt8], network: Network? = nil) throws(ParseError) -> DumpHeader {
        try bytes.withBytes { raw throws(ParseError) in
            var cursor = ByteCursor(raw)
            return try DumpHeader(parsing: &cursor, network: network)
        }
    }

    static let header = DumpHeader(network: .main, block: Digest(every: 7), coins: 0x0102_0304_0506_0708)
    static let bytes =
        hex("7574786fff 0200 f9beb4d9") + [UInt8](repeating: 7, count: 32) + hex("0807060504030201")

    @Test func bytesAndBack() throws {
        #expect(TestSupport.bytes { Self.header.append(to: &$0) } == Self.bytes)
        #expect(Self.bytes.count == DumpHeader.size)
        #expect(try Self.parse(Self.bytes) == Self.header)
        for network in Network.allCases {
            let header = DumpHeader(network: network, block: .zero, coins: .max)
            #expect(try Self.parse(TestSupport.bytes { header.append(to: &$0) }, network: network) == header)
        }
    }

    @Test func thatOfBitcoinCoresDumps() throws {
        for fixture in [ChainFixture.regtestRich, .mainnet4312] where fixture.isThere {
            for dump in try fixture.dumps() {
                let header = DumpHeader(
                    network: try #require(Network(rawValue: fixture.network)),
                    block: try #require(Digest(reversedHex: dump.block)), coins: UInt64(dump.coins))
                let file = try fixture.dumpFile(of: dump.height)
                #expect(TestSupport.bytes { header.append(to: &$0) } == Array(file[..<51]))
                #expect(try Self.parse(file) == header)
            }
        }
    }

    @Test func whatIsWrongAndWhere() {
        func refusal(_ offset: Int, _ value: UInt8, network: Network? = nil) -> ParseError? {
            var bytes = Self.bytes
            bytes[offset] = value
            return #expect(throws: ParseError.self) { try Self.parse(bytes, network: network) }
        }
        for offset in 0..<5 {
            let error = refusal(offset, 0x21)
            #expect(error?.offset == 0 && error?.description.contains("is no dump of a UTXO set") == true)
        }
        for (offset, value, version) in [(5, 1, 1), (5, 3, 3), (6, 1, 258)] as [(Int, UInt8, Int)] {
            let error = refusal(offset, value)
            #expect(error?.offset == 5 && error?.description.contains("version \(version);") == true)
        }
        for offset in 7..<11 {
            let error = refusal(offset, 0x21)
            #expect(error?.offset == 7 && error?.description.contains("not known here, with magic") == true)
        }
        let other = #expect(throws: ParseError.self) { try Self.parse(Self.bytes, network: .signet) }
        #expect(other == ParseError(.malformed("is a dump of main, not of signet"), at: 7))
        for (count, offset) in [
            (0, 0), (4, 0), (5, 5), (6, 5), (7, 7), (10, 7), (11, 11), (42, 11), (43, 43), (50, 43),
        ] {
            let error = #expect(throws: ParseError.self) { try Self.parse(Array(Self.bytes[..<count])) }
            #expect(error == ParseError(.truncated, at: offset))
        }
    }
}
