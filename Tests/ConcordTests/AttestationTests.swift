import TestSupport
import Testing

@testable import Concord

@Suite struct AttestationTests {
    static let text =
        StatementTests.text + """

            authority: alice
            key: 0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798
            time: 2026-11-22T11:00:00Z
            software: concord/0.1.0
            note: a note

            """

    static func parse(_ text: String) throws(ParseError) -> Attestation {
        try Attestation(parsing: Array(text.utf8))
    }

    @Test func textComesBack() throws {
        let attestation = try Self.parse(Self.text)
        #expect(attestation.text == Self.text)
        #expect(attestation.digest == SHA256.hash(Self.text))
        #expect(attestation.statement.text == StatementTests.text)
        #expect("\(attestation.authority)" == "alice" && attestation.key == SignatureTests.key)
        #expect(attestation.time == 1_795_345_200 && attestation.software == "concord/0.1.0")
        #expect(attestation.note == "a note")
    }

    @Test func theNoteMayBeAbsent() throws {
        let text = Self.text.replacing("note: a note\n", with: "")
        let attestation = try Self.parse(text)
        #expect(attestation.note == nil && attestation.text == text)
    }

    /// Without its note an attestation is another one, so that cut is no fault to look for here.
    @Test func everyFaultIsRefused() {
        TextFaults(text: Self.text.replacing("note: a note\n", with: "")) { _ = try Attestation(parsing: $0) }
            .checkAll()
    }

    @Test(arguments: [
        ("authority", "al ice"), ("authority", ".alice"), ("authority", "alice/.."),
        ("authority", String(repeating: "a", count: 41)),
        ("key", "05" + CurvePointTests.x), ("key", "02" + CurvePointTests.prime),
        ("time", "2026-11-22T11:00:00"), ("time", "2026-11-22 11:00:00Z"), ("time", "2026-02-29T11:00:00Z"),
        ("time", "2026-11-22T11:00:00+00:00"), ("time", "2026-11-22T11:00:00.0Z"),
        ("time", "2026-11-22t11:00:00z"),
        ("software", " x"), ("software", String(repeating: "x", count: 201)), ("software", "x\ty"),
        ("note", " x"), ("note", String(repeating: "x", count: 201)), ("note", "smörgås"), ("note", ""),
    ])
    func wrongValuesAreRefused(field: String, value: String) {
        let text = Self.text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            .map { $0.hasPrefix(field + ": ") ? "\(field): \(value)\n" : $0 + "\n" }.joined()
        #expect(text != Self.text)
        #expect(throws: ParseError.self) { try Self.parse(text) }
    }

    @Test func aNoteStandsOnceAndLast() {
        #expect(throws: ParseError.self) { try Self.parse(Self.text + "note: more\n") }
        let note = "note: a note\n"
        #expect(throws: ParseError.self) {
            try Self.parse(
                Self.text.replacing(note, with: "").replacing("software", with: note + "software"))
        }
    }

    @Test func theLongestFitsItsLimit() throws {
        var attestation = try Self.parse(
            Self.text.replacing("coins: 176948713", with: "coins: 18446744073709551615")
                .replacing("network: main", with: "network: testnet4")
                .replacing("height: 840123", with: "height: 9999999"))
        attestation.authority = try #require(AuthorityName(String(repeating: "n", count: 40)))
        attestation.software = String(repeating: "s", count: Attestation.maxTextBytes)
        attestation.note = String(repeating: "~", count: Attestation.maxTextBytes)
        #expect(attestation.text.utf8.count <= Attestation.maxBytes)
        #expect(try Self.parse(attestation.text) == attestation)
    }

    @Test func tooManyBytesAreNotLookedAt() {
        let bytes = [UInt8](repeating: 0x61, count: Attestation.maxBytes + 1)
        #expect(throws: ParseError(.outOfRange("an attestation's length"), at: Attestation.maxBytes)) {
            try Attestation(parsing: bytes)
        }
    }

    @Test func textIsPrintableASCII() {
        for text in ["x", "concord/0.1.0", "two words", "a  b", "~!\"#", String(repeating: "x", count: 200)] {
            #expect(Attestation.isText(text), "\(text)")
        }
        for text in [
            "", " ", " x", "x ", "é", "a\nb", "a\r", "\u{0}", "\u{7f}", String(repeating: "x", count: 201),
        ] {
            #expect(!Attestation.isText(text), "\(text)")
        }
    }

    @Test func namesOfAuthorities() {
        for name in ["a", "A", "0", "a.b_c-d", "9.", String(repeating: "z", count: 40)] {
            #expect(AuthorityName(name)?.description == name)
        }
        for name in [
            "", ".", "..", ".a", "_a", "-a", "a b", "a/b", "é", "a\u{301}", "a\n",
            String(repeating: "z", count: 41),
        ] {
            #expect(AuthorityName(name) == nil, "\(name)")
        }
    }
}
