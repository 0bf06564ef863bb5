import TestSupport
import Testing

@testable import Concord

@Suite struct DescriptorTests {
    /// BIP 86's account, and BIP 32's test vector 1.
    static let account =
        "xpub6BgBgsespWvERF3LHQu6CnqdvfEvtMcQjYrcRzx53QJjSxarj2afYWcLteoGVky7D3UKDP9QyrLprQ3VCECoY49yfdDEHGCtMMj92pReUsQ"
    static let root =
        "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8"
    /// BIP 49's and BIP 84's accounts.
    static let nested =
        "upub5EFU65HtV5TeiSHmZZm7FUffBGy8UKeqp7vw43jYbvZPpoVsgU93oac7Wk3u6moKegAEWtGNF8DehrnHtv21XXEMYRUocHqguyjknFHYfgY"
    static let witness =
        "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs"
    static let point = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"

    private func address(_ text: String, _ index: UInt32, _ network: Network) throws -> String? {
        let scripts = try Descriptor(text).scripts(at: index)
        return scripts.count == 1 ? Address.text(for: scripts[0], on: network) : nil
    }

    /// The addresses of BIPs 49, 84 and 86, and those of the same words by BIP 44, which every wallet has.
    @Test func addressesOfTheBIPs() throws {
        let tpub = try ExtendedPublicKey(Self.nested).text
        #expect(try address("sh(wpkh(\(tpub)/0/*))", 0, .testnet4) == "2Mww8dCYPUpKHofjgcXcBCEGmniw9CoaiD2")
        let xpub = try ExtendedPublicKey(Self.witness).text
        for (branch, index, expected) in [
            (0, 0, "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"),
            (0, 1, "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g"),
            (1, 0, "bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el"),
        ] as [(Int, UInt32, String)] {
            #expect(try address("wpkh(\(xpub)/\(branch)/*)", index, .main) == expected)
        }
        for (branch, index, expected) in [
            (0, 0, "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr"),
            (0, 1, "bc1p4qhjn9zdvkux4e44uhx8tc55attvtyu358kutcqkudyccelu0was9fqzwh"),
            (1, 0, "bc1p3qkhfews2uk44qtvauqyr2ttdsw7svhkl9nkm9s9c3x4ax5h60wqwruhk7"),
        ] as [(Int, UInt32, String)] {
            #expect(try address("tr(\(Self.account)/\(branch)/*)", index, .main) == expected)
        }
        let legacy =
            "xpub6BosfCnifzxcFwrSzQiqu2DBVTshkCXacvNsWGYJVVhhawA7d4R5WSWGFNbi8Aw6ZRc1brxMyWMzG3DSSSSoekkudhUd9yLb6qx39T9nMdj"
        #expect(try address("pkh(\(legacy)/0/*)", 0, .main) == "1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabA")
    }

    // MARK: keys of SLIP 132

    /// Alone they say which scripts; inside a descriptor they are the key of BIP 32, for that kind alone.
    @Test func lettersOfKeys() throws {
        let (tpub, xpub) = (
            try ExtendedPublicKey(Self.nested).text, try ExtendedPublicKey(Self.witness).text
        )
        #expect(try Descriptor(Self.nested).text == "sh(wpkh(\(tpub)/<0;1>/*))")
        #expect(try Descriptor(Self.witness).text == "wpkh(\(xpub)/<0;1>/*)")
        let origin = "[73c5da0a/84h/0h/0h]"
        #expect(try Descriptor(origin + Self.witness).text == "wpkh(\(origin)\(xpub)/<0;1>/*)")
        #expect(try Descriptor("wpkh(\(Self.witness)/0/*)") == Descriptor("wpkh(\(xpub)/0/*)"))
        #expect(try Descriptor("sh(wpkh(\(Self.nested)/0/*))") == Descriptor("sh(wpkh(\(tpub)/0/*))"))
        for (text, kind) in [
            ("pkh(\(Self.witness)/0/*)", .witness), ("sh(wpkh(\(Self.witness)/0/*))", .witness),
            ("tr(\(Self.witness)/0/*)", .witness), ("wsh(pk(\(Self.witness)))", .witness),
            ("wpkh(\(Self.nested)/0/*)", .nested), ("sh(pkh(\(Self.nested)))", .nested),
            ("combo(\(Self.nested))", .nested),
        ] as [(String, ExtendedPublicKey.Kind)] {
            let error = #expect(throws: DescriptorError.self) { try Descriptor(text) }
            guard case .key(.kind(kind), _) = error else {
                Issue.record("\(text): \(error.map { "\($0)" } ?? "")")
                continue
            }
        }
        for text in [
            Self.root, "[73c5da0a/84h/0h/0h]\(Self.root)", "\(Self.root)/0/*", "\(Self.witness)/0/*",
        ] {
            let error = #expect(throws: DescriptorError.self) { try Descriptor(text) }
            #expect(error == .bareKey, "\(text)")
            #expect(error?.description.contains("wpkh(KEY/<0;1>/*)") == true)
        }
    }

    @Test func keysOfMultisigAreNotGuessedAt() {
        let text =
            "Zpub6vZyhw1ShkEwNxtqfjk7jiwoEbZYMJdbWLHvEwo6Ns2fFc9rdQn3SerYFQXYxtZYbA8a1d83shW3g4WbsnVsymy2L8m7wpeApiuPxug3ARu"
        let error = #expect(throws: DescriptorError.self) { try Descriptor(text) }
        guard case .extendedKey(let key, at: 0) = error else {
            Issue.record("\(error.map { "\($0)" } ?? "")")
            return
        }
        #expect(key == .multisig)
    }

    // MARK: texts

    /// As Bitcoin Core prints them: hex in lower case, numbers without zeros in front, the mark of the last hardened step.
    @Test(arguments: [
        ("pk(\(point.uppercased()))", "pk(\(point))"),
        ("raw(DEADBEEF)", "raw(deadbeef)"), ("raw()", "raw()"),
        ("pkh([DEADBEEF/007]\(point))", "pkh([deadbeef/7]\(point))"),
        ("pkh([deadbeef/0'/1h]\(point))", "pkh([deadbeef/0h/1h]\(point))"),
        ("pkh([deadbeef/0h/1'/2]\(point))", "pkh([deadbeef/0'/1'/2]\(point))"),
        ("pkh(\(root)/01/<02;3>/*)", "pkh(\(root)/1/<2;3>/*)"),
        ("multi(01,\(point))", "multi(1,\(point))"),
        (
            "addr(BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4)",
            "addr(bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4)"
        ),
        (
            "addr(tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx)",
            "addr(tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx)"
        ),
    ])
    func texts(typed: String, text: String) throws {
        #expect(try Descriptor(typed).text == text)
    }

    @Test func checksums() throws {
        let text = "wpkh(\(Self.account)/0/*)"
        let checksum = try Descriptor(text).checksum
        #expect(try Descriptor("\(text)#\(checksum)").text == text)
        // One character wrong, in the text and in the checksum.
        #expect(throws: DescriptorError.checksum(expected: checksum)) {
            try Descriptor("\(text)#\(checksum == "qqqqqqqq" ? "pppppppp" : "qqqqqqqq")")
        }
        let other = try Descriptor("wpkh(\(Self.account)/1/*)").checksum
        let error = #expect(throws: DescriptorError.self) {
            try Descriptor("wpkh(\(Self.account)/1/*)#\(checksum)")
        }
        #expect(error == .checksum(expected: other) && "\(error.map { "\($0)" } ?? "")".contains("#\(other)"))
        #expect(throws: DescriptorError.checksumLength(0)) { try Descriptor("\(text)#") }
        #expect(throws: DescriptorError.twoChecksums(at: text.count + 9)) {
            try Descriptor("\(text)#\(checksum)#\(checksum)")
        }
    }

    @Test func networks() throws {
        let tpub = try ExtendedPublicKey(Self.nested).text
        #expect(try Descriptor("pkh(\(Self.point))").networks == Network.allCases)
        #expect(try Descriptor("raw(51)").networks == Network.allCases)
        #expect(try Descriptor("pkh(\(Self.root))").networks == [.main])
        #expect(try Descriptor("multi(1,\(tpub),\(Self.point))").networks == [.testnet4, .signet, .regtest])
        #expect(
            try Descriptor("addr(tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx)").networks == [
                .testnet4, .signet,
            ])
        #expect(throws: DescriptorError.networks) { try Descriptor("multi(1,\(tpub),\(Self.root))") }
    }

    @Test func indexes() throws {
        let ranged = try Descriptor("pkh(\(Self.root)/*)")
        #expect(try ranged.scripts(at: 0) != ranged.scripts(at: 1 << 31 - 1))
        #expect(throws: DescriptorError.index(1 << 31)) { try ranged.scripts(at: 1 << 31) }
        let two = try Descriptor("pkh(\(Self.root)/<5;6>/*)")
        #expect(
            try two.scripts(at: 9) == Descriptor("pkh(\(Self.root)/5/9)").scripts(at: 0)
                + Descriptor("pkh(\(Self.root)/6/9)").scripts(at: 0))
    }

    // MARK: limits

    private func fault(_ text: String) -> DescriptorError? {
        do throws(DescriptorError) {
            _ = try Descriptor(text)
            return nil
        } catch {
            return error
        }
    }

    private func keys(_ count: Int) -> String {
        (0..<count).map { "\(Self.root)/\($0)" }.joined(separator: ",")
    }

    @Test func keysOfMultisig() throws {
        #expect(try Descriptor("multi(3,\(keys(3)))").scripts(at: 0)[0].count == 3 * 34 + 3)
        #expect(fault("multi(1,\(keys(4)))") == .tooManyKeys(most: 3, at: 6))
        #expect(fault("sh(multi(15,\(keys(15))))") == nil)
        #expect(fault("sh(sortedmulti(15,\(keys(16))))") == .redeemScript(547, at: 15))
        #expect(try Descriptor("wsh(multi(20,\(keys(20))))").scripts(at: 0)[0].count == 34)
        #expect(fault("wsh(multi(20,\(keys(21))))") == .tooManyKeys(most: 20, at: 10))
        #expect(fault("wsh(multi(3,\(keys(2))))") == .threshold(keys: 2, at: 10))
        #expect(fault("wsh(multi(0,\(keys(2))))") == .threshold(keys: 2, at: 10))
        #expect(fault("wsh(multi(4294967297,\(keys(2))))") == .threshold(keys: 2, at: 10))
    }

    /// Bitcoin Core's MAX_PUBKEYS_PER_MULTI_A, and the numbers that are pushed in two bytes.
    @Test func keysOfLeaves() throws {
        let many = keys(999)
        for threshold in [1, 16, 17, 127, 128, 255, 256, 999] {
            #expect(
                try Descriptor("tr(\(Self.root),multi_a(\(threshold),\(many)))").scripts(at: 0)[0].count == 34
            )
        }
        #expect(
            fault("tr(\(Self.root),multi_a(1,\(keys(1000))))")
                == .tooManyKeys(most: 999, at: Self.root.count + 12))
        #expect(Op.number(16) == [0x60] && Op.number(17) == [1, 17] && Op.number(127) == [1, 127])
        #expect(Op.number(128) == [2, 0x80, 0] && Op.number(999) == [2, 0xe7, 3])
    }

    @Test func depthOfTrees() throws {
        func tree(_ depth: Int) -> String {
            let leaf = "pk(\(Self.point))"
            return "tr(\(Self.point),\(String(repeating: "{", count: depth))\(leaf)"
                + String(repeating: ",\(leaf)}", count: depth) + ")"
        }
        #expect(try Descriptor(tree(128)).scripts(at: 0)[0].count == 34)
        #expect(fault(tree(129)) == .tooDeep(at: 4 + Self.point.count + 129))
    }

    @Test func stepsAndNumbersOfBranches() throws {
        let steps = String(repeating: "/0", count: 254)
        #expect(fault("pkh(\(Self.root)\(steps)/*)") == nil)
        #expect(fault("pkh(\(Self.root)\(steps)/0/*)") == .key(.tooManySteps, at: 4))
        func several(_ count: Int) -> String {
            "<" + (0..<count).map(String.init).joined(separator: ";") + ">"
        }
        #expect(try Descriptor("pkh(\(Self.root)/\(several(100)))").branches.count == 100)
        #expect(
            fault("pkh(\(Self.root)/\(several(101)))")
                == .key(.severalCount(most: 100), at: Self.root.count + 6))
        #expect(fault("multi(1,\(Self.root)/<0;1>,\(Self.root)/<0;1;2>)") == .branches)
    }

    /// Whatever comes: an error, in little time and without much stack.
    @Test func nonsense() {
        #expect(fault("") == .function(at: 0))
        #expect(fault("pkh") == .function(at: 0) && fault("pkh(") == .key(.missing, at: 4))
        #expect(fault("(\(Self.point))") == .function(at: 0))
        #expect(fault("pkh(\(Self.point)") == .expected(")", at: 70))
        #expect(fault("pkh(\(Self.point)))") == .expected("the end", at: 71))
        #expect(fault(" pkh(\(Self.point))") == .function(at: 0))
        #expect(fault("pkh(\(Self.point)/0)") == .key(.plainWithSteps, at: 4))
        #expect(fault("pkh(ü)") == .character(at: 4) && fault("pkh(\u{0})") == .character(at: 4))
        #expect(fault("pkh(\u{202e}\(Self.point))") == .character(at: 4))
        #expect(fault("thresh(1,pk(\(Self.point)))") == .function(at: 0))
        #expect(fault("wsh(and_v(v:pk(\(Self.point)),older(1)))") == .function(at: 4))
        #expect(
            fault("tr(\(Self.point),pkh(\(Self.point)))")
                == .misplaced("pkh", rule: "alone, in sh() or in wsh()", at: 70))
        for piece in ["(", "{", "[", "<", "sh(", "wsh(", "tr(", "multi(1,", "/", "0", "#", "ü", "\u{10ffff}"]
        {
            for count in [1000, 60_000, 1_000_000] {
                let text = String(repeating: piece, count: count)
                #expect(fault(text) != nil)
                #expect(fault("tr(\(Self.point),\(text)") != nil && fault("pkh(\(Self.root)/\(text)") != nil)
            }
        }
        #expect(fault(String(repeating: "0", count: 1 << 18 + 1)) == .tooLong(1 << 18 + 1))
    }

    /// Whatever is cut off or changed in a descriptor, it is read or refused, and the words never hold eight characters of it.
    @Test func damagedTexts() throws {
        let text =
            "wsh(sortedmulti(2,[d34db33f/48h/0h/0h/2h]\(Self.account)/<0;1>/*,[d34db33f/0']\(Self.root)/<2;3>/*))"
        _ = try Descriptor(text)
        var random = SeededRandom()
        let alphabet = Array("0123456789abcdefhxpub[]()<>{},;/*'#")
        for _ in 0..<2000 {
            var damaged = Array(text)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: damaged.indices, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: damaged.remove(at: place)
                case 1: damaged[place] = alphabet.randomElement(using: &random) ?? "x"
                default: damaged = Array(damaged.prefix(max(place, 8)))
                }
            }
            guard let said = fault(String(damaged))?.description else { continue }
            for start in text.indices.dropLast(7) {
                let piece = text[start..<text.index(start, offsetBy: 8)]
                #expect(!said.contains(piece) || "sortedmulti(2,KEY,KEY,KEY)".contains(piece), "\(said)")
            }
        }
    }
}
