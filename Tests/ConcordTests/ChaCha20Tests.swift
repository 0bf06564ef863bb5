import Testing

@testable import Concord

@Suite struct ChaCha20Tests {
    static func keystream(_ key: Digest) -> [UInt8] {
        var limbs = [UInt64](repeating: 0, count: 48)
        limbs.withUnsafeMutableBufferPointer { ChaCha20.keystream(key: key, into: $0.baseAddress!) }
        return limbs.flatMap { limb in (0..<8).map { UInt8(truncatingIfNeeded: limb >> (8 * $0)) } }
    }

    /// RFC 8439, appendix A.1: the test vectors whose nonce is 0 and whose counter is below 6.
    @Test(arguments: [
        (
            "00", 0,
            "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
                + "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"
        ),
        (
            "00", 1,
            "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
                + "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f"
        ),
        (
            "00ff", 2,
            "72d54dfbf12ec44b362692df94137f328fea8da73990265ec1bbbea1ae9af0ca"
                + "13b25aa26cb4a648cb9b9d1be65b2c0924a66c54d545ec1b7374f4872e99f096"
        ),
    ])
    func standardVectors(key: String, block: Int, expected: String) throws {
        let padded = key + String(repeating: "0", count: 64 - key.count)
        let stream = Self.keystream(try #require(Digest(hex: padded)))
        #expect(stream[64 * block..<64 * block + 64].hex == expected)
    }

    /// All six blocks, as `openssl enc -chacha20` makes them with the key 00 01 … 1f.
    @Test func wholeStream() throws {
        let stream = Self.keystream(try #require(Digest(Array(0..<32))))
        #expect(stream.count == 384)
        #expect(
            SHA256.hash(stream).hex == "ad6230aa6fe758c461ee2ef215872d67e286e9f3f49110266df8bfa27a73abaa")
    }
}
