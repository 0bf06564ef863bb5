import TestSupport
import Testing

@testable import Concord

/// Everything that can go wrong with a text file of the tree, whatever its fields are: each fault must be refused.
struct TextFaults {
    let text: String
    /// Throws `ParseError` unless the text is right.
    let parse: ([UInt8]) throws -> Void

    private var lines: [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }

    func checkAll() {
        #expect(throws: Never.self) { try parse(Array(text.utf8)) }
        checkLines()
        checkBytes()
        checkEnds()
    }

    private func refuse(_ text: String, _ why: String) {
        refuse(Array(text.utf8), why)
    }

    private func refuse(_ bytes: [UInt8], _ why: String) {
        #expect(throws: ParseError.self, "\(why): \(String(decoding: bytes, as: UTF8.self))") {
            try parse(bytes)
        }
    }

    private func joined(_ lines: [String]) -> String { lines.map { $0 + "\n" }.joined() }

    private func checkLines() {
        for i in lines.indices {
            var changed = lines
            changed.remove(at: i)
            refuse(joined(changed), "line \(i) missing")
            changed = lines
            changed.insert(lines[i], at: i)
            refuse(joined(changed), "line \(i) twice")
            for j in 0..<i {
                changed = lines
                changed.swapAt(i, j)
                refuse(joined(changed), "lines \(j) and \(i) exchanged")
            }
            for (old, new) in [
                ("", "\r"), ("", " "), ("", "\t"), ("", "\u{0}"), ("", "é"), ("", "\u{7f}"), ("", "\u{2028}"),
                ("", "\n"),
            ] {
                changed = lines
                changed[i] += old + new
                refuse(joined(changed), "line \(i) with more behind it")
                changed[i] = new + lines[i]
                refuse(joined(changed), "line \(i) with more before it")
            }
            guard let colon = lines[i].range(of: ": ") else { continue }
            let (name, value) = (lines[i][..<colon.lowerBound], String(lines[i][colon.upperBound...]))
            for line in [
                "\(name):\(value)", "\(name):  \(value)", "\(name):\t\(value)", "\(name) : \(value)",
                "\(name)=\(value)",
                "\(name)", "\(name):", "\(name): ", "\(name.uppercased()): \(value)", "x\(name): \(value)",
                "\(name)x: \(value)", value,
            ] {
                changed[i] = line
                refuse(joined(changed), "line \(i) in another form")
            }
            checkValue(i, name: String(name), value: value)
        }
        refuse(text.replacing("\n", with: "\r\n"), "CRLF")
        refuse(text.replacing("\n", with: "\r"), "CR")
    }

    private func checkValue(_ i: Int, name: String, value: String) {
        var wrong: [String] = []
        if value.utf8.allSatisfy({ (0x30...0x39).contains($0) }), value.utf8.count < 40 {
            wrong += [
                "0" + value, "+" + value, "-" + value, value + ".0", "0x" + value, value + "e0", value + ",0",
            ]
            wrong += ["99999999999999999999", "", "-1", "\u{ff11}"]
        } else if value.utf8.count >= 64, [UInt8](hex: value) != nil {
            wrong += [
                value + "00", String(value.dropLast()), String(value.dropLast(2)),
                String(value.dropLast()) + "g",
            ]
            wrong += [value.uppercased(), String(value.dropLast()) + "A", "0x" + value]
        }
        for value in wrong {
            var changed = lines
            changed[i] = "\(name): \(value)"
            // Digits only: there is no upper case.
            if changed[i] != lines[i] { refuse(joined(changed), "another value in line \(i)") }
        }
    }

    private func checkBytes() {
        let bytes = Array(text.utf8)
        for i in bytes.indices {
            refuse(Array(bytes[..<i]), "\(i) bytes only")
            for byte in [0x00, 0x0d, 0x7f, 0x80, 0xff] as [UInt8] {
                var changed = bytes
                changed[i] = byte
                refuse(changed, "byte \(byte) at \(i)")
            }
        }
    }

    private func checkEnds() {
        for more in ["\n", "x", "x\n", " ", "\u{0}", "snapshot: none\n", "\r\n"] {
            refuse(text + more, "more at the end")
        }
        refuse(Array("\u{feff}".utf8) + Array(text.utf8), "byte order mark")
        refuse("", "nothing")
        refuse("\n", "an empty line")
        refuse(text + text, "all of it twice")
    }
}
