import TestSupport
import Testing

@testable import Concord

@Suite struct FieldLinesTests {
    static func lines(_ text: String) -> FieldLines { FieldLines(Array(text.utf8)) }

    @Test func linesComeOneByOne() throws {
        var lines = Self.lines("first\n\nname: value\n")
        #expect(!lines.isAtEnd && lines.offset == 0)
        #expect(try lines.line() == "first")
        #expect(try lines.line() == "")
        #expect(lines.isNext("name") && !lines.isNext("nam") && !lines.isNext("name:") && !lines.isNext(""))
        #expect(try lines.value("name") == "value")
        try lines.finish()
        #expect(lines.isAtEnd && !lines.isNext("name"))
    }

    @Test(
        arguments: [
            ("", ParseError(.truncated, at: 0)),
            ("no line feed", ParseError(.truncated, at: 12)),
            ("a\rb\n", ParseError(.malformed("has a byte that is not printable ASCII"), at: 1)),
            ("ab\r\n", ParseError(.malformed("has a byte that is not printable ASCII"), at: 2)),
            ("a\tb\n", ParseError(.malformed("has a byte that is not printable ASCII"), at: 1)),
            ("é\n", ParseError(.malformed("has a byte that is not printable ASCII"), at: 0)),
            ("a\u{0}\n", ParseError(.malformed("has a byte that is not printable ASCII"), at: 1)),
            ("a \n", ParseError(.malformed("has a space at the end of a line"), at: 1)),
            (" \n", ParseError(.malformed("has a space at the end of a line"), at: 0)),
        ] as [(String, ParseError)])
    func otherLinesAreRefused(text: String, error: ParseError) {
        var lines = Self.lines(text)
        #expect(throws: error) { try lines.line() }
    }

    @Test func theNextFieldMustHaveTheName() {
        for text in [
            "other: 1\n", "name:1\n", "name : 1\n", "Name: 1\n", "name\n", " name: 1\n", "names: 1\n",
        ] {
            var lines = Self.lines(text)
            #expect(throws: ParseError(.malformed("lacks the field «name»"), at: 0)) {
                try lines.value("name")
            }
        }
        var lines = Self.lines("one\ntwo\n")
        #expect(throws: Never.self) { try lines.expect("one") }
        #expect(throws: ParseError(.malformed("lacks the line «three»"), at: 4)) { try lines.expect("three") }
    }

    @Test func wrongValuesNameTheField() {
        var lines = Self.lines("first\nname: 12x\n")
        _ = try? lines.line()
        #expect(throws: ParseError(.malformed("has a wrong value in the field «name»"), at: 6)) {
            try lines.value("name") { FieldLines.decimal($0) }
        }
    }

    @Test func trailingBytesAreForbidden() {
        var lines = Self.lines("one\ntwo\n")
        _ = try? lines.line()
        #expect(throws: ParseError(.trailingBytes, at: 4)) { try lines.finish() }
    }

    @Test func decimalsHaveOneForm() {
        #expect(FieldLines.decimal("0") == 0)
        #expect(FieldLines.decimal("18446744073709551615") == .max)
        #expect(FieldLines.decimal("10", atMost: 10) == 10 && FieldLines.decimal("11", atMost: 10) == nil)
        for text in [
            "", "00", "01", "+1", "-0", "-1", " 1", "1 ", "1.0", "1e3", "0x1", "1_000",
            "18446744073709551616", "١", "１",
        ] {
            #expect(FieldLines.decimal(text) == nil, "\(text)")
        }
    }

    @Test func heightsHaveSevenDigits() {
        #expect(FieldLines.height("0") == 0 && FieldLines.height("9999999") == 9_999_999)
        #expect(FieldLines.height("10000000") == nil && FieldLines.height("0000001") == nil)
    }
}
