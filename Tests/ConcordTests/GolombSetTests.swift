import TestSupport
import Testing

@testable import Concord

/// The code of filters, with BIP158's own parameters and test vectors too.
@Suite struct GolombSetTests {
    /// A block's scripts and its basic filter, from the test vectors of BIP158 (testnet-19.json).
    struct Vector: Sendable, CustomTestStringConvertible {
        let block: String
        let scripts: [String]
        let filter: String
        var testDescription: String { block }
    }

    static let vectors = [
        Vector(
            block: "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943",
            scripts: [
                "4104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac"
            ], filter: "019dfca8"),
        Vector(
            block: "000000006c02c8ea6e4ff69651f7fcde348fb9d557a06e6957b65552002a7820",
            scripts: ["21038a7f6ef1c8ca0c588aa53fa860128077c9e6c11e6830f4d7ee4e763a56b7718fac"],
            filter: "0174a170"),
        Vector(
            block: "000000008b896e272758da5297bcd98fdc6d97c9b765ecec401e286dc1fdbe10",
            scripts: ["2103f6d9ff4c12959445ca5549c811683bf9c88e637b222dd2e0311154c4c85cf423ac"],
            filter: "016cf7a0"),
        Vector(
            block: "0000000038c44c703bae0f98cdd6bf30922326340a5996cc692aaae8bacf47ad",
            scripts: ["2103f268e9ae07e0f8cb2f6e901d87c510d650b97230c0365b021df8f467363cafb1ac"],
            filter: "013c3710"),
        // Outputs, then what was spent; of two that are the same one counts, and an empty one not at all there.
        Vector(
            block: "0000000018b07dca1b28b4b5a119f6d6e71698ce1ed96f143f54179ce177a19c",
            scripts: [
                "2102971dd6034ed0cf52450b608d196c07d6345184fcb14deb277a6b82d526a6163dac",
                "76a91445db0b779c0b9fa207f12a8218c94fc77aff504588ac",
                "5221033423007d8f263819a2e42becaaf5b06f34cb09919e06304349d950668209eaed21021d69e2b68c3960903b702af7829fadcd80bd89b158150c85c4a75b2c8cb9c39452ae",
                "52210279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f8179821021d69e2b68c3960903b702af7829fadcd80bd89b158150c85c4a75b2c8cb9c39452ae",
                "522102a7ae1e0971fc1689bd66d2a7296da3a1662fd21a53c9e38979e0f090a375c12d21022adb62335f41eb4e27056ac37d462cda5ad783fa8e0e526ed79c752475db285d52ae",
                "52210279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f8179821022adb62335f41eb4e27056ac37d462cda5ad783fa8e0e526ed79c752475db285d52ae",
                "512103b9d1d0e2b4355ec3cdef7c11a5c0beff9e8b8d8372ab4b4e0aaf30e80173001951ae",
                "76a9149144761ebaccd5b4bbdc2a35453585b5637b2f8588ac",
                "522103f1848b40621c5d48471d9784c8174ca060555891ace6d2b03c58eece946b1a9121020ee5d32b54d429c152fdc7b1db84f2074b0564d35400d89d11870f9273ec140c52ae",
                "76a914f4fa1cc7de742d135ea82c17adf0bb9cf5f4fb8388ac",
            ], filter: "0afbc2920af1b027f31f87b592276eb4c32094bb4d3697021b4c6380"),
    ]

    @Test(arguments: vectors) func bip158(vector: Vector) throws {
        let block = try #require(Digest(reversedHex: vector.block))
        let code = GolombSet(p: 19, m: 784_931)
        let hash = SipHash(keyedBy: block)
        let count = UInt64(vector.scripts.count)
        let values = vector.scripts.map { code.value(hex($0).withBytes(hash.hash), of: count) }.sorted()
        let made = bytes { out in
            out.appendCompactSize(count)
            code.encode(values, to: &out)
        }
        #expect(made.hex == vector.filter)
        #expect(try Self.read(Array(made.dropFirst()), code, count: values.count) == values)
    }

    private static func read(
        _ bytes: [UInt8], _ code: GolombSet, count: Int
    ) throws(ParseError) -> [UInt64] {
        try bytes.withBytes { raw throws(ParseError) in
            var reader = GolombSet.Reader(raw, code, count: UInt64(count))
            var values: [UInt64] = []
            while let value = try reader.next() { values.append(value) }
            return values
        }
    }

    /// Bit by bit, as the document says, in the slowest way.
    static func plain(_ values: [UInt64], p: Int) -> [UInt8] {
        var bits: [UInt8] = []
        var last: UInt64 = 0
        for value in values {
            let difference = value - last
            last = value
            bits += [UInt8](repeating: 1, count: Int(difference >> UInt64(p))) + [0]
            bits += (0..<p).reversed().map { UInt8(difference >> UInt64($0) & 1) }
        }
        while bits.count % 8 != 0 { bits.append(0) }
        return stride(from: 0, to: bits.count, by: 8).map { bits[$0..<$0 + 8].reduce(0) { $0 << 1 | $1 } }
    }

    @Test(arguments: [1, 8, 12, 19, 32]) func whatIsWrittenIsRead(p: Int) throws {
        var random = SeededRandom()
        for count in [0, 1, 2, 3, 100, 1000] {
            let code = GolombSet(p: p, m: 1 << UInt64(p))
            var values = (0..<count).map { _ in
                UInt64.random(in: 0..<UInt64(max(count, 1)) << UInt64(p), using: &random)
            }
            if count > 2 { values[1] = values[0] }
            values.sort()
            let made = bytes { code.encode(values, to: &$0) }
            #expect(made == Self.plain(values, p: p), "seed \(random.seed)")
            #expect(try Self.read(made, code, count: values.count) == values)
        }
    }

    /// SipHash-2-4 of 00, 01, … under the key 00 to 0f: the test vectors of its authors.
    @Test func sipHash() {
        let hash = SipHash(k0: 0x0706_0504_0302_0100, k1: 0x0f0e_0d0c_0b0a_0908)
        let expected: [UInt64] = [
            0x726f_db47_dd0e_0e31, 0x74f8_39c5_93dc_67fd, 0x0d6c_8009_d9a9_4f5a, 0x8567_6696_d7fb_7e2d,
            0xcf27_94e0_2771_87b7, 0x1876_5564_cd99_a68d, 0xcbc9_466e_58fe_e3ce, 0xab02_00f5_8b01_d137,
            0x93f5_f579_9a93_2462,
        ]
        for (count, value) in expected.enumerated() {
            #expect((0..<UInt8(count)).map { $0 }.withBytes(hash.hash) == value, "\(count) bytes")
        }
    }
}
