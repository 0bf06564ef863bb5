import Testing

@testable import Concord

@Suite struct AddressTests {
    static let tests: [Network] = [.testnet4, .signet, .regtest]

    /// From Bitcoin Core's key_io_valid.json.
    @Test(
        arguments: [
            (
                "1FsSia9rv4NeEwvJ2GvXrX7LyxYspbN2mo", "76a914a31c06bd463e3923bc1aadbde48b16976c08071788ac",
                [.main]
            ),
            ("36j4NfKv6Akva9amjWrLG6MuSQym1GuEmm", "a914373b819a068f32b7a6b38b6b38729647cfde01c287", [.main]),
            (
                "mzK2FFDEhxqHcmrJw1ysqFkVyhUULo45hZ", "76a914ce28b26c57472737f5c3561a1761185bd8589a4388ac",
                tests
            ),
            (
                "mww4LvqtTMKvmeQvizPz2EQv26xTneWrbg", "76a914b4110ba93ac54afc14da3bdd19614774a2d55d2988ac",
                tests
            ),
            (
                "n4fajahJrAuKbN7uNsKjLjQkz9Qn5ewJXQ", "76a914fdeca3b08e38af53d7c4c60e3ad208ce5066441088ac",
                tests
            ),
            ("2NC2hEhe28ULKAJkW5MjZ3jtTMJdvXmByvK", "a914ce0bba75891ff9ec60148d4bd4a09ee2dc5c933187", tests),
            ("2MxFajLApXpYk4VodBSZSt7rw8y4ryABkfA", "a91436e9f191e0b75036a77f65e2eaa4752443233fbe87", tests),
            (
                "bc1qvyq0cc6rahyvsazfdje0twl7ez82ndmuac2lhv", "00146100fc6343edc8c874496cb2f5bbfec88ea9b77c",
                [.main]
            ),
            (
                "bc1p83n3au0rjylefxq2nc2xh2y4jzz4pm6zxj4mw5pagdjjr2a9f36s6jjnnu",
                "51203c671ef1e3913f94980a9e146ba895908550ef4234abb7503d436521aba54c75", [.main]
            ),
            ("bc1z2rksukkjr8", "520250ed", [.main]),
            (
                "tb1quyl9ujpgwr2chdzdnnalen48sup245vdfnh2jxhsuq3yx80rrwlq5hqfe4",
                "0020e13e5e482870d58bb44d9cfbfccea78702aad18d4ceea91af0e022431de31bbe", [.testnet4, .signet]
            ),
            (
                "tb1rgv5m6uvdk3kc7qsuz0c79v88ycr5w4wa", "53104329bd718db46d8f021c13f1e2b0e726",
                [.testnet4, .signet]
            ),
            (
                "bcrt1qdavt4j2sd7dlhqsavtnfxvzppw6k7qy97tmnu9",
                "00146f58bac9506f9bfb821d62e69330410bb56f0085", [.regtest]
            ),
            (
                "bcrt1sx6p8njlx7h9mc2agz4yg82dzne23050ncq72cneeecez2pst8mahn8xecsf8g6hzx94420",
                "6028368279cbe6f5cbbc2ba8154883a9a29e5517d1f3c03cac4f39ce3225060b3efb799cd9c412746ae2",
                [.regtest]
            ),
            // Pay to anchor.
            ("bc1pfeessrawgf", "51024e73", [.main]),
        ] as [(String, String, [Network])])
    func addressesAndScriptsRoundTrip(text: String, script: String, networks: [Network]) throws {
        let address = try Address(text)
        #expect(address.script.hex == script)
        #expect(address.networks == networks)
        for network in Network.allCases {
            if networks.contains(network) {
                #expect(try Address(text, on: network) == address)
                #expect(Address.text(for: address.script, on: network) == text)
            } else {
                #expect(throws: AddressError.otherNetwork(networks, asked: network)) {
                    try Address(text, on: network)
                }
                #expect(Address.text(for: address.script, on: network) != text)
            }
        }
    }

    /// BIP 350.
    @Test(arguments: [
        ("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "0014751e76e8199196d454941c45d1b3a323f1433bd6"),
        (
            "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7",
            "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262"
        ),
        (
            "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",
            "5128751e76e8199196d454941c45d1b3a323f1433bd6751e76e8199196d454941c45d1b3a323f1433bd6"
        ),
        ("BC1SW50QGDZ25J", "6002751e"),
        ("bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", "5210751e76e8199196d454941c45d1b3a323"),
        (
            "tb1qqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesrxh6hy",
            "0020000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433"
        ),
        (
            "tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c",
            "5120000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433"
        ),
        (
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
            "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
        ),
    ])
    func validWitnessAddresses(text: String, script: String) throws {
        let address = try Address(text)
        #expect(address.script.hex == script)
        #expect(Address.text(for: address.script, on: address.networks[0]) == text.lowercased())
        #expect(try Address(text.uppercased()) == address)
        #expect(try Address(text.lowercased()) == address)
    }

    /// BIP 350, in its order.
    @Test(
        arguments: [
            ("tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut", .prefix("tc")),
            ("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd", .checksumVariant(version: 1)),
            ("tb1z0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqglt7rf", .checksumVariant(version: 2)),
            ("BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL", .checksumVariant(version: 16)),
            ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh", .checksumVariant(version: 0)),
            ("tb1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq24jc47", .checksumVariant(version: 0)),
            ("bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4", .character("o", at: 59)),
            ("BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R", .witnessVersion(17)),
            ("bc1pw5dgrnzv", .programLength(1, version: 1)),
            (
                "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav",
                .programLength(41, version: 1)
            ),
            ("BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P", .programLength(16, version: 0)),
            ("tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq", .mixedCase),
            ("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf", .padding),
            ("tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j", .padding),
            ("bc1gmk9yu", .witnessVersion(nil)),
        ] as [(String, AddressError)])
    func invalidWitnessAddresses(text: String, error: AddressError) {
        #expect(throws: error) { try Address(text) }
    }

    /// BIP 173's list, where BIP 350 has no successor of the same kind, and what was valid before BIP 350.
    @Test(
        arguments: [
            ("tc1qw508d6qejxtdg4y5r3zarvary0c5xw7kg3g4ty", .prefix("tc")),
            ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", .checksum),
            ("BC13W508D6QEJXTDG4Y5R3ZARVARY0C5XW7KN40WF2", .witnessVersion(17)),
            ("bc1rw5uspcuh", .checksumVariant(version: 3)),
            ("tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sL5k7", .mixedCase),
            ("tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3pjxtptv", .padding),
            (
                "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7k7grplx",
                .checksumVariant(version: 1)
            ),
            ("BC1SW50QA3JX3S", .checksumVariant(version: 16)),
        ] as [(String, AddressError)])
    func withdrawnWitnessAddresses(text: String, error: AddressError) {
        #expect(throws: error) { try Address(text) }
    }

    /// From Bitcoin Core's key_io_valid.json (private keys) and key_io_invalid.json, and slips of the hand.
    @Test(
        arguments: [
            ("", .tooShort), ("x", .tooShort), ("bc1", .tooShort),
            (" bc1z2rksukkjr8", .character(" ", at: 0)),
            ("bc1z2rksukkjr8 ", .character(" ", at: 14)), ("Bc1z2rksukkjr8", .mixedCase),
            ("bc1z2rksukkjr8\u{301}", .character("8\u{301}", at: 13)),
            ("5JuW2AMDYu4xVwRG9DZW18VbzQrGcd5RCgb99sS6ehJsNQXu5b9", .privateKey),
            ("cV83kKisF3RQSvXbUCm9ox3kaz5JjEUBWcx8tNydfGJcyeUxuH47", .privateKey),
            ("1GAdfviErV2Ew95FPtZyikz2qGP3gyCB6Hyu94sedAkPpA523m3fQwps9YKUZkKgQckGPKhRsFR", nil),
            ("37G2kMDLpmWVhimxRdzwNfE8JFvWXnJYnVcXeeGrek2qumdJuK7XArcVVpRtLLjRra3t64BEPF2", nil),
            ("8iVk9nLM3nYwRuwypjy9NK5rsuZH7BbrQRZ1pgcQmvMnjAgRXD", nil),
            ("2UVPFpGYnLHJezFzjUo42our6PMEoozzRdM", nil),
            ("bt1pq65rzej5glw3ra79gav6fqnx4haa0z257qr3mc8cggkefahmgvyseufhc0", .prefix("bt")),
            ("bcrt1r2qxpwuge", .programLength(1, version: 3)),
            ("tb1qlj8es50nc8j8r8xshrjgzmw5azx89efghmw8ju6zcqla0g6xcnrstsjz7k", nil),
            ("bcrt1qzwmyj0z924g7fzs5yvnrkc43y76RVyr2lh5t4r", .mixedCase),
        ] as [(String, AddressError?)])
    func everythingElseIsRefused(text: String, error: AddressError?) {
        if let error {
            #expect(throws: error) { try Address(text) }
        } else {
            #expect(throws: AddressError.self) { try Address(text) }
        }
    }

    @Test func otherVersionBytesAndLengthsAreRefused() {
        let hash = [UInt8](repeating: 7, count: 20)
        #expect(throws: AddressError.versionByte(0x30)) { try Address(Base58.encode([0x30] + hash)) }
        #expect(throws: AddressError.payloadLength(20)) { try Address(Base58.encode([0] + hash.dropLast())) }
        #expect(throws: AddressError.payloadLength(22)) { try Address(Base58.encode([5] + hash + [1])) }
    }

    @Test(arguments: [
        "", "51", "6a",
        // Pay to pubkey, a bare multisig, OP_RETURN.
        "210279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798ac",
        "51210279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f8179851ae", "6a0548656c6c6f",
        // Nearly P2PKH and P2SH.
        "76a914a31c06bd463e3923bc1aadbde48b16976c08071788ad",
        "76a914a31c06bd463e3923bc1aadbde48b16976c08071788acac",
        "76a913a31c06bd463e3923bc1aadbde48b16976c08071788ac",
        "a914373b819a068f32b7a6b38b6b38729647cfde01c288",
        // Nearly witness programs: version 0 of 16 bytes, a byte too many, too few, 1 byte, 41 bytes, OP_1NEGATE.
        "0010751e76e8199196d454941c45d1b3a323", "0014751e76e8199196d454941c45d1b3a323f1433bd600", "5102aa",
        "5101aa",
        "5129" + String(repeating: "00", count: 41), "4f0250ed",
    ])
    func otherScriptsHaveNoAddress(hex: String) throws {
        let script = try #require([UInt8](hex: hex))
        for network in Network.allCases { #expect(Address.text(for: script, on: network) == nil) }
    }

    @Test func errorsAreWords() {
        #expect(
            "\(AddressError.otherNetwork([.testnet4, .signet], asked: .main))"
                == "the address is of testnet4, signet, not of main")
        #expect("\(AddressError.checksum)" == "the address has a bad checksum: it is mistyped or cut off")
    }
}
