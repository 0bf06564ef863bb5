import Testing

@testable import Concord

@Suite struct CurvePointTests {
    static let x = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    static let y = "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
    /// The prime less y.
    static let otherY = "b7c52588d95c3b9aa25b0403f1eef75702e84bb7597aabe663b82f6f04ef2777"
    /// The prime: as an x or a y it stands for zero, but not in any encoding.
    static let prime = "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f"

    static func isValid(_ x: String, _ y: String) throws -> Bool {
        // One byte off, as it lies in a script: the pointer needs no alignment.
        let bytes = try [4] + #require([UInt8](hex: x + y))
        return try bytes.withUnsafeBytes { Secp256k1.isValidUncompressed(try #require($0.baseAddress) + 1) }
    }

    static func decompress(_ x: String, odd: Bool) throws -> String? {
        let bytes = try [2] + #require([UInt8](hex: x))
        var out = [UInt8](repeating: 0xee, count: 66)
        let found = try bytes.withUnsafeBytes { x in
            try out.withUnsafeMutableBytes {
                Secp256k1.decompress(
                    x: try #require(x.baseAddress) + 1, odd: odd, into: try #require($0.baseAddress))
            }
        }
        #expect(out[65] == 0xee)
        if !found { #expect(out.allSatisfy { $0 == 0xee }) }
        return found ? out[..<65].hex : nil
    }

    @Test func pointsOfTheCurveAreValid() throws {
        #expect(try Self.isValid(Self.x, Self.y))
        #expect(try Self.isValid(Self.x, Self.otherY))
        // The key of the genesis block's coinbase.
        #expect(
            try Self.isValid(
                "678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb6",
                "49f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5f"))
    }

    @Test func everythingElseIsNot() throws {
        let zero = String(repeating: "0", count: 64)
        #expect(try !Self.isValid(zero, zero))
        #expect(try !Self.isValid(Self.x, Self.x))
        #expect(try !Self.isValid(Self.y, Self.x))
        #expect(try !Self.isValid(Self.x, String(Self.y.dropLast()) + "9"))
        #expect(try !Self.isValid(Self.x, Self.prime))
        #expect(try !Self.isValid(Self.prime, Self.y))
        #expect(try !Self.isValid(String(repeating: "f", count: 64), String(repeating: "f", count: 64)))
    }

    @Test func decompressionFindsBothPoints() throws {
        #expect(try Self.decompress(Self.x, odd: false) == "04" + Self.x + Self.y)
        #expect(try Self.decompress(Self.x, odd: true) == "04" + Self.x + Self.otherY)
    }

    @Test(arguments: [
        // No y fits x = 0 and x = 5.
        String(repeating: "0", count: 64), String(repeating: "0", count: 63) + "5", prime,
        String(repeating: "f", count: 64),
    ])
    func decompressionOfNoPointWritesNothing(x: String) throws {
        #expect(try Self.decompress(x, odd: false) == nil)
        #expect(try Self.decompress(x, odd: true) == nil)
    }

    @Test func threadsShareTheContext() async throws {
        await withTaskGroup(of: Bool.self) { group in
            for i in 0..<8 {
                group.addTask {
                    (0..<200).allSatisfy { _ in
                        (try? Self.decompress(Self.x, odd: i.isMultiple(of: 2))) != nil
                            && (try? Self.isValid(Self.x, Self.y)) == true
                    }
                }
            }
            for await good in group { #expect(good) }
        }
    }
}
