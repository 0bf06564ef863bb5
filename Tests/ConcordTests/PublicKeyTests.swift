import Testing

@testable import Concord

@Suite struct PublicKeyTests {
    @Test(arguments: [
        "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
        "0379be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
    ])
    func compressedPointsAreKeys(hex: String) throws {
        let key = try #require(PublicKey(hex: hex))
        #expect(key.hex == hex)
        #expect(PublicKey(key.bytes) == key)
        #expect(key.uncompressed.count == 65 && key.uncompressed[..<33].hex == "04" + hex.dropFirst(2))
        #expect("\(key)" == hex)
    }

    @Test(arguments: [
        "", "02",
        // Too short, too long.
        "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f817",
        "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f8179800",
        // Upper case, spaces.
        "0279BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798",
        "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f8179 ",
        // First bytes that are another form's, or nobody's.
        "0079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
        "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
        "0679be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
        "0779be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
        // No point has this x; the prime; above it.
        "020000000000000000000000000000000000000000000000000000000000000005",
        "02fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f",
        "02ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        // Uncompressed and hybrid.
        "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
            + "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8",
        "0679be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
            + "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8",
    ])
    func everythingElseIsNone(hex: String) {
        #expect(PublicKey(hex: hex) == nil)
    }

    /// What `openssl ec -pubout` prints for the private key 1.
    @Test func pemIsOpenSSLs() throws {
        let key = try #require(
            PublicKey(hex: "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"))
        #expect(
            key.pem == """
                -----BEGIN PUBLIC KEY-----
                MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEeb5mfvncu6xVoGKVzocLBwKb/NstzijZ
                WfKBWxb4F5hIOtp3JqPEZV2k+/wOEQio/Re0SKaFVBmcR9CP+xDUuA==
                -----END PUBLIC KEY-----

                """)
    }
}
