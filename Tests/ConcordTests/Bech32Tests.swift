import Testing

@testable import Concord

@Suite struct Bech32Tests {
    /// BIP 173.
    @Test(arguments: [
        "A12UEL5L", "a12uel5l",
        "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
        "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
        "11qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqc8247j",
        "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w", "?1ezyfcl",
    ])
    func validBech32(text: String) throws {
        let parts = try Bech32.decode(text)
        #expect(parts.variant == .bech32)
        #expect(
            Bech32.encode(prefix: parts.prefix, values: parts.values, variant: .bech32) == text.lowercased())
    }

    /// BIP 350.
    @Test(arguments: [
        "A1LQFN3A", "a1lqfn3a",
        "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6",
        "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
        "11llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllludsr8",
        "split1checkupstagehandshakeupstreamerranterredcaperredlc445v", "?1v759aa",
    ])
    func validBech32m(text: String) throws {
        let parts = try Bech32.decode(text)
        #expect(parts.variant == .bech32m)
        #expect(
            Bech32.encode(prefix: parts.prefix, values: parts.values, variant: .bech32m) == text.lowercased())
    }

    /// BIP 173, then BIP 350, in their order.
    @Test(
        arguments: [
            ("\u{20}1nwldj5", .character(" ", at: 0)), ("\u{7f}1axkwrx", .character("\u{7f}", at: 0)),
            ("\u{80}1eym55h", .character("\u{80}", at: 0)),
            (
                "an84characterslonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1569pvx",
                .tooLong(91)
            ),
            ("pzry9x0s0muk", .noPrefix), ("1pzry9x0s0muk", .noPrefix), ("x1b4n0q5v", .character("b", at: 2)),
            ("li1dgmt3", .tooShort), ("de1lg7wt\u{ff}", .character("\u{ff}", at: 8)), ("A1G7SGD8", .checksum),
            ("10a06t8", .noPrefix), ("1qzzfhee", .noPrefix),

            ("\u{20}1xj0phk", .character(" ", at: 0)), ("\u{7f}1g6xzxy", .character("\u{7f}", at: 0)),
            ("\u{80}1vctc34", .character("\u{80}", at: 0)),
            (
                "an84characterslonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11d6pts4",
                .tooLong(91)
            ),
            ("qyrz8wqd2c9m", .noPrefix), ("1qyrz8wqd2c9m", .noPrefix), ("y1b0jsk6g", .character("b", at: 2)),
            ("lt1igcx5c0", .character("i", at: 3)), ("in1muywd", .tooShort),
            ("mm1crxm3i", .character("i", at: 8)),
            ("au1s5cgom", .character("o", at: 7)), ("M1VUXWEZ", .checksum), ("16plkw9", .noPrefix),
            ("1p2gdwpf", .noPrefix),
        ] as [(String, AddressError)])
    func invalid(text: String, error: AddressError) {
        #expect(throws: error) { try Bech32.decode(text) }
    }

    @Test func mixedCaseIsRefused() {
        for text in ["a12UEL5L", "A12uel5l", "A12UEL5l"] {
            #expect(throws: AddressError.mixedCase) { try Bech32.decode(text) }
        }
    }

    @Test func groupsOfFiveBitsRoundTrip() throws {
        for count in 0...40 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 151 + 77) }
            let fives = Bech32.fives(bytes)
            #expect(fives.count == (count * 8 + 4) / 5 && fives.allSatisfy { $0 < 32 })
            #expect(try Bech32.bytes(fives) == bytes)
        }
    }

    @Test func leftOverBitsAreRefused() {
        #expect(throws: AddressError.padding) { try Bech32.bytes([0]) }
        #expect(throws: AddressError.padding) { try Bech32.bytes([0, 1]) }
        #expect(throws: AddressError.padding) { try Bech32.bytes([31, 28, 0]) }
    }
}
