import Foundation
import TestSupport
import Testing

@testable import ConcordPublish

/// Codes, read by somebody else's decoder.
@Suite struct QRCodeTests {
    /// What zbarimg reads in each image, in order.
    private func decoded(_ codes: [QRCode]) throws -> [String] {
        let scratch = try TestSupport.Scratch()
        let paths = try codes.enumerated().map { i, code in
            try scratch.write(Self.image(code), to: "\(i).pgm")
        }
        let printed = try Program.installed("zbarimg").print(
            ["--quiet", "--raw", "-Sdisable", "-Sqrcode.enable"] + paths)
        return String(decoding: printed, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// A grey picture, four pixels a module, with the margin that the standard asks for.
    private static func image(_ code: QRCode) -> [UInt8] {
        let (scale, margin) = (4, 4)
        let side = (code.size + 2 * margin) * scale
        var pixels = [UInt8](repeating: 255, count: side * side)
        for y in 0..<code.size * scale {
            for x in 0..<code.size * scale where code.isDark(x: x / scale, y: y / scale) {
                pixels[(y + margin * scale) * side + x + margin * scale] = 0
            }
        }
        return Array("P5 \(side) \(side) 255\n".utf8) + pixels
    }

    /// Text that says which it is.
    private static func text(_ count: Int) -> String {
        String((0..<count).map { Character(UnicodeScalar(UInt8(97 + ($0 * 7 + count) % 26))) })
    }

    @Test func everyLengthIsRead() throws {
        let texts = (1...QRCode.maxBytes).map(Self.text)
        let codes = try texts.map { try #require(QRCode(Array($0.utf8))) }
        #expect(try decoded(codes) == texts)
        #expect(Set(codes.map(\.size)) == [21, 25, 29, 33, 37, 41])
    }

    /// Whichever mask there is: the one that is chosen depends on the text.
    @Test func everyMaskIsRead() throws {
        let text = Self.text(66)
        let codes = try (0..<8).map { try #require(QRCode(Array(text.utf8), mask: $0)) }
        #expect(try decoded(codes) == [String](repeating: text, count: 8))
    }

    /// The capacities at level M that the standard's table 7 gives for byte mode.
    @Test func theSmallestVersionThatHoldsIt() throws {
        for (version, capacity) in [14, 26, 42, 62, 84, 106].enumerated() {
            let bytes = [UInt8](repeating: 0x61, count: capacity)
            #expect(QRCode(bytes)?.size == 21 + 4 * version)
            #expect(QRCode(bytes + [0x61])?.size == (capacity == 106 ? nil : 25 + 4 * version))
        }
    }

    /// The path covers the dark modules, each once.
    @Test func thePathIsTheSamePicture() throws {
        let code = try #require(QRCode(Array("concord".utf8)))
        var dark: [[Int]] = []
        for run in code.svgPath(margin: 0).split(separator: "M") {
            let numbers = run.split { !$0.isNumber }.compactMap { Int($0) }
            try #require(numbers.count == 5 && numbers[2] == numbers[4] && numbers[3] == 1)
            dark += (numbers[0]..<numbers[0] + numbers[2]).map { [$0, numbers[1]] }
        }
        let all = (0..<code.size).flatMap { y in (0..<code.size).map { [$0, y] } }
        #expect(dark == all.filter { code.isDark(x: $0[0], y: $0[1]) })
        #expect(code.svgPath().hasPrefix("M4 4h7v1h-7z"))
    }
}
