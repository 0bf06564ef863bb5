import TestSupport
import Testing

@testable import Concord

/// RFC 4231, the cases whose keys have 128 bytes or fewer.
@Suite struct HMACSHA512Tests {
    @Test(arguments: [
        (
            String(repeating: "0b", count: 20), "4869205468657265",
            """
            87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde
            daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854
            """
        ),
        (
            "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
            """
            164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554
            9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737
            """
        ),
        (
            String(repeating: "aa", count: 20), String(repeating: "dd", count: 50),
            """
            fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39
            bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb
            """
        ),
        (
            "0102030405060708090a0b0c0d0e0f10111213141516171819", String(repeating: "cd", count: 50),
            """
            b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3db
            a91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd
            """
        ),
    ])
    func codes(key: String, message: String, code: String) {
        let hmac = HMACSHA512(key: hex(key))
        // Twice: what is worked out for the key is not used up.
        for _ in 0..<2 {
            var out = [UInt8](repeating: 0, count: 64)
            hex(message).withBytes { hmac.code($0, into: &out) }
            #expect(out == hex(code))
        }
    }
}
