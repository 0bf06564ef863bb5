import Concord
import ConcordFiles
import Foundation
import TestSupport
import Testing

@testable import ConcordClient

/// What is asked of the stored headers one by one.
@Suite struct StoredHeaderTests {
    /// Regtest's first 5,001 headers: two waypoints and a part.
    private static let chain = TestHeaders.genesis + TestHeaders.chain(5000)

    private func store(_ headers: [UInt8]) throws -> HeaderStore {
        let scratch = try Scratch()
        try scratch.write(headers, to: "headers/regtest.bin")
        return try HeaderStore(Folder(reading: scratch.folder), .regtest)
    }

    @Test func byHeightAndHash() throws {
        let store = try store(Self.chain)
        for height in [0, 1, 903, 904, 905, 2015, 2016, 4095, 4096, 4999, 5000] {
            let bytes = Self.chain.header(height)
            let header = try #require(try store.header(at: height))
            #expect(header.bytes == bytes && header.height == height)
            #expect(try header.block == store.block(at: height))
            #expect(header.header.nonce == bytes[76..<80].reversed().reduce(0) { $0 << 8 | UInt32($1) })
            #expect(try store.height(of: header.block.hash) == height)
            #expect(try store.work(to: height) == 2 * UInt128(height + 1))
        }
        #expect(try store.header(at: 5001) == nil && store.header(at: -1) == nil)
        #expect(try store.height(of: .zero) == nil && store.height(of: SHA256.hash("none")) == nil)
        let empty = try self.store([])
        #expect(try empty.header(at: 0) == nil && empty.height(of: .zero) == nil)
    }

    /// What Bitcoin Core's `getblockheader` says of the fixture's blocks.
    @Test func whatCoreSays() throws {
        struct Answer: Decodable {
            struct Header: Decodable {
                let hash, bits, target, chainwork: String
                let height: Int
                let mediantime, time, nonce: UInt32
                let difficulty: Double
            }
            let result: Header
        }
        let scratch = try Scratch()
        try ChainFixture.regtestRich.unpackRecording(into: scratch.folder)
        let store = try store(try ChainFixture.regtestRich.headers())
        var compared = 0
        for path in PlainTree(scratch.folder).files() where path.contains("getblockheader-") {
            let said = try JSONDecoder().decode(Answer.self, from: Data(scratch.read(path))).result
            guard let hash = Digest(reversedHex: said.hash), let height = try store.height(of: hash) else {
                // One of a stale branch.
                continue
            }
            compared += 1
            let header = try #require(try store.header(at: height)?.header)
            #expect(height == said.height && header.time == said.time && header.nonce == said.nonce)
            #expect(try store.medianTime(at: height) == said.mediantime)
            #expect(try store.work(to: height)?.hex == String(said.chainwork.suffix(32)))
            #expect(Target(bits: header.bits)?.hex == said.target)
            // It prints 16 digits.
            #expect(String(format: "%.16g", Target.difficulty(bits: header.bits)) == "\(said.difficulty)")
        }
        #expect(compared >= 10)
    }
}
