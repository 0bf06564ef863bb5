import Concord
import TestSupport
import Testing

@testable import ConcordServe

@Suite struct DescribedScriptTests {
    private func described(_ text: String, on network: Network = .main) throws -> DescribedScript {
        try #require(try DescribedScript.scripts(of: text, range: 0...0, on: network).first)
    }

    /// BIP 380's vector, and the example of Core's help.
    @Test func checksums() throws {
        #expect(DescriptorChecksum.of("raw(deadbeef)") == "89f8spxm")
        #expect(
            DescriptorChecksum.of("raw(76a91411b366edfc0a8b66feebae5c2e25a7b6a5d1cf3188ac)") == "fm24fxxy")
        #expect(DescriptorChecksum.of("raw(é)") == nil)
        #expect(try described("raw(deadbeef)#89f8spxm").script == [0xde, 0xad, 0xbe, 0xef])
        // BIP 380's: none, too long, too short, one character changed in the payload and in the checksum, and a bad one.
        for text in [
            "raw(deadbeef)#", "raw(deadbeef)#89f8spxmx", "raw(deadbeef)#89f8spx", "raw(dedbeef)#89f8spxm",
            "raw(deadbeef)##9f8spxm", "raw(Ü)#00000000",
        ] {
            #expect(throws: RPCError.self) { try described(text) }
        }
    }

    /// Core infers the shortest form: what it says of the same scripts.
    @Test(
        arguments: [
            // The generator point, in P2PK, P2PKH, and as an output key.
            (
                "pk(0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798)",
                "pk(0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798)"
            ),
            (
                "pkh(0279BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798)",
                "pkh(0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798)"
            ),
            (
                "raw(210279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798ac)",
                "pk(0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798)"
            ),
            (
                "raw(512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798)",
                "rawtr(79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798)"
            ),
            (
                "addr(bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0)",
                "rawtr(79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798)"
            ),
            ("addr(12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S)", "addr(12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S)"),
            (
                "raw(76a91411b366edfc0a8b66feebae5c2e25a7b6a5d1cf3188ac)",
                "addr(12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S)"
            ),
            ("raw(DEADBEEF)", "raw(deadbeef)"), ("raw()", "raw()"),
        ])
    func inferred(text: String, plain: String) throws {
        #expect(try described(text).descriptor == DescriptorChecksum.adding(to: plain))
    }

    @Test func scripts() throws {
        #expect(
            try described("addr(12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S)").script.hex
                == "76a91411b366edfc0a8b66feebae5c2e25a7b6a5d1cf3188ac")
        #expect(
            try described("pkh(0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798)").script
                .hex
                == "76a914751e76e8199196d454941c45d1b3a323f1433bd688ac")
        let other = #expect(throws: RPCError.self) {
            try described("addr(12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S)", on: .regtest)
        }
        #expect(other?.code == .invalidAddressOrKey)
    }

    @Test(arguments: [
        "", "()", "(", ")", "raw", "raw(", "raw)", "RAW(51)", "raw(51))", " raw(51)", "pk()", "addr()",
    ])
    func whatIsNone(text: String) { #expect(throws: RPCError.self) { try described(text) } }
}
