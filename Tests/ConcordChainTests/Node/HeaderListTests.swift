import Concord
import ConcordFiles
import TestSupport
import Testing

@testable import ConcordChain

@Suite("A node's headers and the file that keeps them", .waits)
struct HeaderListTests {
    /// The headers of a chain from the genesis block on.
    private static let headers: Result<[UInt8], any Error> = Result {
        let server = try TestNode(mining: 30)
        var bytes: [UInt8] = []
        for height in 0...30 {
            let hash: String = try server.result("getblockhash", height)
            let header: String = try server.result("getblockheader", hash, false)
            bytes += hex(header)
        }
        return bytes
    }

    private func headers() throws -> [UInt8] { try Self.headers.get() }

    @Test func everyHeaderLinksToTheOneBefore() throws {
        let bytes = try headers()
        var list = HeaderList(.regtest)
        try list.append(Array(bytes[..<800]))
        try list.append(Array(bytes[800...]))
        #expect(list.bytes == bytes && list.count == 31)
        #expect(
            list.hashes[7]
                == SHA256.double(UnsafeRawBufferPointer(rebasing: bytes.withUnsafeBytes { $0[560..<640] })))
        // Two hashes each.
        #expect(list.work(through: 30) == 62)
        list.truncate(to: 5)
        #expect(list.bytes == Array(bytes[..<400]) && list.count == 5)
        #expect(throws: ParseError.self) { try list.append(Array(bytes[480...])) }
        #expect(throws: ParseError.self) { try list.append(Array(bytes[400..<470])) }
        #expect(list.count == 5)
    }

    @Test func anotherGenesisBlockIsRefused() throws {
        for network in [Network.main, .signet, .testnet4] {
            var list = HeaderList(network)
            #expect(throws: ParseError.self) { try list.append(try headers()) }
            #expect(list.count == 0)
        }
    }

    /// Whichever byte of a header is another, its hash is, so that it has no work or the next one does not follow.
    @Test func aDamagedFileIsGoodUpToTheDamage() throws {
        let scratch = try Scratch()
        let folder = try Folder(scratch.folder)
        var list = HeaderList(.regtest)
        try list.append(try headers())
        var file = HeaderFile(in: folder)
        #expect(file.load(.regtest).count == 0)
        try file.save(list)
        var again = HeaderFile(in: folder)
        #expect(again.load(.regtest).bytes == list.bytes)
        for place in [0, 79, 80 * 12 + 40, 80 * 29 + 76] {
            var bytes = try headers()
            bytes[place] ^= 4
            try scratch.write(bytes, to: "headers")
            let loaded = again.load(.regtest)
            #expect((place / 80...place / 80 + 1).contains(loaded.count))
            // And whole again.
            again.forget(behind: place / 80)
            try again.save(list)
            #expect(try scratch.read("headers") == list.bytes)
        }
        // Torn in the middle of a header.
        try scratch.write(try headers().dropLast(100), to: "headers")
        #expect(again.load(.regtest).count == 29)
        try again.save(list)
        #expect(try scratch.read("headers") == list.bytes)
    }
}
