import Testing

@testable import Concord

/// What people type and paste where an address is wanted.
@Suite struct TypedScriptTests {
    /// The generator of secp256k1: everybody's key, the private one being 1.
    static let x = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    static let y = "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
    static let address = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
    static let script = "0014751e76e8199196d454941c45d1b3a323f1433bd6"

    @Test(arguments: [
        address, address.uppercased(), " \(address)\n", "\t\(address)\r\n", "\u{a0}\(address)\u{3000}",
        "bitcoin:\(address)", "BITCOIN:\(address.uppercased())", "Bitcoin:\(address)?amount=0.1&label=a%20b",
        "bitcoin:\(address)?", "bitcoin:\(address)?lightning=lnbc1xyz&sp=sp1qabc", "bitcoin://\(address)",
        "BITCOIN:\(address.uppercased())?AMOUNT=1", "bitcoin:\(address)#top", " bitcoin:\(address) ",
        "bitcoin:?bc=\(address)", "BITCOIN:?BC=\(address.uppercased())&tb=tb1qother",
        "bitcoin:\(address)?bc=\(address.uppercased())",
        script, script.uppercased(), "raw(\(script))", "RAW(\(script.uppercased()))",
    ])
    func addressesAndScripts(typed: String) throws {
        #expect(try scriptHex(typed, on: .main) == Self.script)
    }

    /// Forms of scripts that need no `raw()`.
    @Test(arguments: [
        "76a914751e76e8199196d454941c45d1b3a323f1433bd688ac",
        "a914751e76e8199196d454941c45d1b3a323f1433bd687",
        "0020\(x)", "5120\(x)", "51024e73", "6002751e",
        "2102\(x)ac", "4104\(x)\(y)ac",
        // A P2PK that nobody can spend is in the set all the same.
        "2103" + String(repeating: "ff", count: 32) + "ac",
        "512102\(x)51ae", "522102\(x)4104\(x)\(y)52ae",
    ])
    func scriptsOfACommonForm(hex: String) throws {
        #expect(try scriptHex(hex, on: .main) == hex)
    }

    @Test func anythingIsAScriptInRaw() throws {
        for hex in ["", "51", "6a", Self.x, "02\(Self.x)", String(repeating: "00", count: 20_000)] {
            #expect(try scriptHex("raw(\(hex))", on: .regtest) == hex)
        }
    }

    /// A descriptor is itself, and `ypub` and its like say which one they stand for.
    @Test func descriptors() throws {
        let typed = try TypedScript(" wpkh(02\(Self.x))\n", on: .signet)
        #expect(typed.descriptor == (try Descriptor("wpkh(02\(Self.x))")))
        #expect(typed.text == typed.descriptor.description)
        #expect(try TypedScript(typed.text, on: .main) == typed)
        let key = DescriptorTests.witness
        #expect(try TypedScript(key, on: .main).descriptor == Descriptor(key))
        #expect(try TypedScript("[d34db33f/84h]\(key)", on: .main).descriptor.isRanged)
        // For people an address stays an address, and hex what it was.
        #expect(try TypedScript(Self.address.uppercased(), on: .main).text == Self.address.uppercased())
        #expect(
            try TypedScript("bitcoin:\(Self.address)", on: .main).descriptor.text == "addr(\(Self.address))")
        #expect(try TypedScript(Self.script, on: .main).descriptor.text == "raw(\(Self.script))")
        #expect(try TypedScript("RAW(\(Self.script))", on: .main).text == "RAW(\(Self.script))")
    }

    /// What was typed, and words that the refusal has.
    @Test(
        arguments: [
            ("", "is empty"), (" \n", "is empty"),
            ("\(address) \(address)", "white space"), ("bc1qw508 d6qejx", "white space"),
            ("\u{200b}\(address)", "U+200B, at place 1"), ("\(address)\u{feff}", "U+FEFF, at place 43"),
            ("bc1\u{ad}q", "U+00AD"), ("bc1\u{202e}q", "U+202E"), ("bc1q\u{7}", "U+0007"),
            (x, "txid"), (x.uppercased(), "bc1pmfr3p9j00pfxjh0zmgp99y8zftmd3s5pmedqhyptwy6lm87hf5sspknck9"),
            (String(repeating: "f", count: 64), "32 bytes in hex"),
            ("\(x):0", "an output of a transaction"),
            ("51", "1 byte of hex"), ("517", "no address"),
            (String(repeating: "7", count: 40), "20 bytes of hex"),
            ("512102\(x)52ae", "bytes of hex"), ("532102\(x)51ae", "bytes of hex"), ("01ae", "bytes of hex"),
            ("6a", "OP_RETURN"), (String(repeating: "00", count: 10_001), "more than 10,000"),
            ("raw(5)", "whole bytes"), ("raw(xy)", "whole bytes"), ("raw(\(script)", "lacks )"),
            (
                "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8",
                "extended public key"
            ),
            (
                "vpub5SLqN2bLY4WeZF3kL4VqiWF1itbf3A6oRrq9aPf16AZMVWYCuN9TxpCEAzAxvqJwHBxjY1rMTYp",
                "no extended key with a checksum"
            ),
            (
                "[d34db33f/84h/0h/0h]xpub6DJ2dNUysrn5Vt36jH2KLBT2i1auw1tTSSomg8PhqNiUtx8QX2SvC9nrHu81fT41fvDUnhMjEzQgXnQjKEu3oaqMSzhSrHMxyyoEAmUHQbY",
                "extended public key"
            ),
            ("addr(\(address))#abcdefgh", "is a descriptor with another checksum"),
            ("tpk(\(x))", "no function that is known"), ("wpkh(\(x))", "a fault at place 6"),
            (
                "addr(tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx)",
                "is a descriptor of testnet4, signet, not of main"
            ),
            ("wsh(sortedmulti(2,xpub1,xpub2))", "no extended key"),
            ("lnbc2500u1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp5", "Lightning"),
            ("LNBC1PVJLUEZPP5QQQSYQCYQ5RQWZQFQQQSYQCYQ5RQWZQFQQQSYQCYQ5RQWZQFQYPQ", "Lightning"),
            ("lightning:lnbc1x", "Lightning"), ("LNURL1DP68GURN8GHJ7", "Lightning"),
            ("lno1pqps7sjqpgt", "Lightning"),
            (
                "sp1qqgste7k9hx0qftg6qmwlkqtwuy6cycyavzmzj85c6qdfhjdpdjtdgqjuexzk6murw56suy3e0rd2cgqvycxttddwsvgxe2usfpxumr70xc9pkqwv",
                "silent payment"
            ),
            ("ex1q7gkeyjut0mrxc3j0kjlt7rmcnvsh0gt45d3fud", "Liquid"),
            (
                "lq1qqvxk052kf3qtkxmrakx50a9gc3smqad2ync54hzntjt980kfej9kkfe0247rp5h4yzmdftsahhw64uy8pzfe7cpg4fgykm7cv",
                "Liquid"
            ),
            ("VJLCnr84J3BBNXBq3xQ3kTqQjNNSRLmYN2mX2BPHPgNHk2yyYoGYBXVG3hqSiMmHAMVTfWXCEYKMCcQv", "Liquid"),
            ("Q7qcjTLsYGoMA7TjUp97R6E6AM5VKqBik6", "Liquid"),
            ("GydeMhecNgrq17WMkyyTM4ETv1YubMVtLN", "Liquid"),
            ("0x52908400098527886E0F7030069857D2E4169EE7", "Rootstock"),
            ("ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9", "Litecoin"),
            ("bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a", "Bitcoin Cash"),
            ("qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a", "Bitcoin Cash"),
            ("DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L", "another chain"),
            ("addr1vpu5vlrf4xkxv2qpwngf6cjhtw542ayty80v8dyr49rf5eg0yu80w", "another chain"),
            ("satoshi@bitcoin.example", "name"), ("https://mempool.space/address/\(address)", "link"),
            ("cHNidP8BAHUCAAAAASaBcTce3/KF6Tet7qSze3gADAVmy7OtZGQXE8pCFxv2AAAAAAD+////", "PSBT"),
            ("bitcoin:", "without an address"), ("bitcoin:?amount=1", "without an address"),
            ("bitcoin:?sp=sp1qxyz", "silent payment"), ("bitcoin:?lightning=lnbc1xyz", "Lightning"),
            ("bitcoin:\(address)?req-somethingyoudontunderstand=50", "req-somethingyoudontunderstand"),
            (
                "bitcoin:\(address)?bc=bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
                "several addresses"
            ),
            ("bitcoin:x", "no address"), ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "checksum"),
            ("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", "not of main"), ("-", "no address"),
        ] as [(String, String)])
    func everythingElseIsRefused(typed: String, words: String) {
        let error = #expect(throws: TypedScriptError.self) { try TypedScript(typed, on: .main) }
        #expect(error?.description.contains(words) == true, "\(error.map { "\($0)" } ?? "")")
    }

    /// Never a part of it in what is said.
    @Test(
        arguments: [
            "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ",
            // A character wrong, and one missing.
            "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTK",
            "KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoW",
            "bitcoin:KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn",
            " L1aW4aubDFB7yfras2S1mN3bqg9nwySY8nkoLmJebSLD5BWv3ENZ\n",
            "SzavMBLoXU6kDrqtUVmffv", "S6c56bnXQiBjk9mqSYE7ykVQ7NzrRy",
            "6PRVWUbkzzsbcVac2qwfssoUJAN1Xhrg6bNk8J7Nzm5H7kxEbn2Nh2ZoGg",
            "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi",
            "vprv9DMUxX4ShgxMLjKMKvqe9dDDRMyQ9d9FaPjLYXZQ9nqrz9XZp8WbKjAo9x7NDpM2hQUJfKPXv2TUr",
            "wpkh(L1aW4aubDFB7yfras2S1mN3bqg9nwySY8nkoLmJebSLD5BWv3ENZ)",
            "pkh(xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi/0)#abcdefgh",
            "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about",
            "ms10testsxxxxxxxxxxxxxxxxxxxxxxxxxx4nzvca9cmczlw",
            "nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5",
        ])
    func secretsAreNotEchoed(typed: String) {
        let error = #expect(throws: TypedScriptError.self) { try TypedScript(typed, on: .main) }
        guard case .secret = error else {
            Issue.record("\(error.map { "\($0)" } ?? "")")
            return
        }
        let said = error?.description ?? ""
        #expect(said.contains("Nobody who looks for coins needs it"))
        for start in typed.indices.dropLast(7) {
            let piece = typed[start..<typed.index(start, offsetBy: 8)]
            if piece.contains(where: \.isWhitespace) { continue }
            #expect(!said.contains(piece), "\(piece)")
        }
    }

    /// 32 bytes in hex may be a private key too.
    @Test func digestsAreNotEchoed() {
        let error = #expect(throws: TypedScriptError.self) { try TypedScript(Self.x, on: .main) }
        #expect(error?.description.contains(Self.x) == false)
    }

    /// BIP 173's key and its addresses; the taproot address by BIP 341's rule, as Bitcoin Core's `tr()` has it.
    @Test func aPublicKeyIsToldItsAddresses() throws {
        let compressed = #expect(throws: TypedScriptError.self) { try TypedScript("02" + Self.x, on: .main) }
        for words in [
            "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH (pkh)", "\(Self.address) (wpkh)",
            "3JvL6Ymt8MVWiCNHC7oWU6nLeHNJKLZGLN (sh(wpkh))",
            "bc1pmfr3p9j00pfxjh0zmgp99y8zftmd3s5pmedqhyptwy6lm87hf5sspknck9 (tr)", "2102\(Self.x)ac (pk)",
        ] {
            #expect(compressed?.description.contains(words) == true, "\(words)")
        }
        let long = #expect(throws: TypedScriptError.self) {
            try TypedScript("04" + Self.x + Self.y, on: .main)
        }
        let said = try #require(long?.description)
        #expect(said.contains("1EHNa6Q4Jz2uvNExL497mE43ikXhwF6kZm (pkh)") && !said.contains("wpkh)"))
        #expect(said.contains("4104\(Self.x)\(Self.y)ac (pk)"))
        // Not on the curve: then it is bytes of which nobody knows what they are.
        let none = #expect(throws: TypedScriptError.self) {
            try TypedScript("02" + String(repeating: "ff", count: 32), on: .main)
        }
        guard case .otherHex(33) = none else {
            Issue.record("\(none.map { "\($0)" } ?? "")")
            return
        }
    }

    /// BIP 86's first key of its test vector, and its address.
    @Test func theTaprootAddressOfAKey() throws {
        let x = hex("cc8a4bc64d897bddc5fbc2f670f7a8ba0b386779106cf1223c6fc5d7cd6fc115")
        let script = try #require(KeyScripts.taproot(x: x[...]))
        #expect(script.hex == "5120a60869f0dbcf1dc659c9cecbaf8050135ea9e8cdc487053f1dc6880949dc684c")
        #expect(
            Address.text(for: script, on: .main)
                == "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr")
    }

    @Test func seedWordsThatAreArgumentsOfTheirOwn() {
        let words = "legal winner thank year wave sausage worth useful legal winner thank yellow"
        #expect(TypedScriptError.isSeed(words.split(separator: " ").map(String.init)))
        #expect(!TypedScriptError.isSeed([String](repeating: Self.address, count: 12)))
        #expect(!TypedScriptError.isSeed(["raw", "words", "only"]))
    }

    private func hex(_ text: String) -> [UInt8] { [UInt8](hex: text) ?? [] }

    private func scriptHex(_ typed: String, on network: Network) throws -> String {
        let scripts = try TypedScript(typed, on: network).descriptor.scripts(at: 0)
        return scripts.map(\.hex).joined(separator: " ")
    }
}
