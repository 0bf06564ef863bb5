/// A QR code (ISO/IEC 18004) of up to 106 bytes: byte mode, error correction level M, versions 1 to 6.
struct QRCode {
    /// Modules a side, without the quiet zone.
    private(set) var size: Int
    private var dark: [Bool]
    /// Modules that are no data: patterns that a reader looks for, and the format.
    private var isFixed: [Bool]

    /// What a version has at level M: blocks of the same length, each with its own codewords for correction.
    private static let versions: [(blocks: Int, data: Int, correction: Int)] = [
        (1, 16, 10), (1, 28, 16), (1, 44, 26), (2, 32, 18), (2, 43, 24), (4, 27, 16),
    ]
    /// Four bits of mode and eight of length stand before the bytes.
    static let maxBytes = 4 * 27 - 2

    /// Nil if there are more than `maxBytes`.
    ///
    /// - Parameter mask: 0 to 7; the one that the standard's rules rate best if nil.
    init?(_ bytes: [UInt8], mask: Int? = nil) {
        guard let index = Self.versions.firstIndex(where: { $0.blocks * $0.data - 2 >= bytes.count }) else {
            return nil
        }
        let (blocks, data, correction) = Self.versions[index]
        size = 21 + 4 * index
        dark = [Bool](repeating: false, count: size * size)
        isFixed = dark
        drawPatterns()
        drawData(
            Self.interleaved(Self.data(bytes, count: blocks * data), blocks: blocks, correction: correction))
        let candidates = (mask.map { $0...$0 } ?? 0...7).map(masked)
        guard let best = candidates.min(by: { $0.penalty < $1.penalty }) else { return nil }
        self = best
    }

    func isDark(x: Int, y: Int) -> Bool { dark[y * size + x] }

    /// The dark modules as the path of an SVG image, one unit a module, `margin` units from its edges; the standard asks
    /// for four.
    func svgPath(margin: Int = 4) -> String {
        var path = ""
        for y in 0..<size {
            var x = 0
            while x < size {
                let start = x
                while x < size, isDark(x: x, y: y) { x += 1 }
                if x > start { path += "M\(start + margin) \(y + margin)h\(x - start)v1h-\(x - start)z" }
                x += 1
            }
        }
        return path
    }
}

// MARK: - Codewords

extension QRCode {
    /// Mode, length, bytes and padding.
    private static func data(_ bytes: [UInt8], count: Int) -> [UInt8] {
        // The mode is half a byte, so that everything stands across the bytes.
        var nibbles: [UInt8] = [0b0100, UInt8(bytes.count >> 4), UInt8(bytes.count & 15)]
        for byte in bytes { nibbles += [byte >> 4, byte & 15] }
        nibbles.append(0)
        var data = stride(from: 0, to: nibbles.count, by: 2).map { nibbles[$0] << 4 | nibbles[$0 + 1] }
        for pad in 0..<count - data.count { data.append(pad.isMultiple(of: 2) ? 0xec : 0x11) }
        return data
    }

    /// Cut into blocks, each with its correction, and taken from all blocks in turn.
    private static func interleaved(_ data: [UInt8], blocks: Int, correction: Int) -> [UInt8] {
        let length = data.count / blocks
        let parts = (0..<blocks).map { Array(data[$0 * length..<($0 + 1) * length]) }
        let generator = generator(correction)
        let checks = parts.map { remainder($0, generator) }
        return (0..<length).flatMap { i in parts.map { $0[i] } }
            + (0..<correction).flatMap { i in checks.map { $0[i] } }
    }

    /// (x − 1)(x − α)…(x − α^(degree − 1)), highest power first, its leading 1 left out.
    private static func generator(_ degree: Int) -> [UInt8] {
        var coefficients = [UInt8](repeating: 0, count: degree - 1) + [1]
        var root: UInt8 = 1
        for _ in 0..<degree {
            for i in 0..<degree {
                coefficients[i] = product(coefficients[i], root)
                if i + 1 < degree { coefficients[i] ^= coefficients[i + 1] }
            }
            root = product(root, 2)
        }
        return coefficients
    }

    private static func remainder(_ data: [UInt8], _ generator: [UInt8]) -> [UInt8] {
        var rest = [UInt8](repeating: 0, count: generator.count)
        for byte in data {
            let factor = byte ^ rest.removeFirst()
            rest.append(0)
            for i in rest.indices { rest[i] ^= product(generator[i], factor) }
        }
        return rest
    }

    /// In GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1.
    private static func product(_ a: UInt8, _ b: UInt8) -> UInt8 {
        var sum: UInt8 = 0
        for bit in (0..<8).reversed() {
            sum = sum << 1 ^ (sum >> 7) * 0x1d
            sum ^= (b >> UInt8(bit) & 1) * a
        }
        return sum
    }
}

// MARK: - Modules

extension QRCode {
    private mutating func fix(_ x: Int, _ y: Int, _ isDark: Bool) {
        dark[y * size + x] = isDark
        isFixed[y * size + x] = true
    }

    private mutating func drawPatterns() {
        for i in 0..<size {
            fix(6, i, i.isMultiple(of: 2))
            fix(i, 6, i.isMultiple(of: 2))
        }
        for (x, y) in [(3, 3), (size - 4, 3), (3, size - 4)] { drawSquares(x, y, radius: 4, light: [2, 4]) }
        if size > 21 { drawSquares(size - 7, size - 7, radius: 2, light: [1]) }
        drawFormat(mask: 0)
    }

    /// Squares around a centre, as far as they are inside; those of these radii are light.
    private mutating func drawSquares(_ x: Int, _ y: Int, radius: Int, light: Set<Int>) {
        for dy in -radius...radius where (0..<size).contains(y + dy) {
            for dx in -radius...radius where (0..<size).contains(x + dx) {
                fix(x + dx, y + dy, !light.contains(max(abs(dx), abs(dy))))
            }
        }
    }

    /// Level M is 00, so that the mask is all there is; a BCH code protects it, and a pattern is laid over both.
    private mutating func drawFormat(mask: Int) {
        var rest = mask
        for _ in 0..<10 { rest = rest << 1 ^ (rest >> 9) * 0x537 }
        let format = (mask << 10 | rest) ^ 0x5412
        func bit(_ i: Int) -> Bool { format >> i & 1 == 1 }
        for i in 0..<6 { fix(8, i, bit(i)) }
        fix(8, 7, bit(6))
        fix(8, 8, bit(7))
        fix(7, 8, bit(8))
        for i in 9..<15 { fix(14 - i, 8, bit(i)) }
        for i in 0..<8 { fix(size - 1 - i, 8, bit(i)) }
        for i in 8..<15 { fix(8, size - 15 + i, bit(i)) }
        fix(8, size - 8, true)
    }

    /// In columns two modules wide, from the right, up and down in turn; the vertical timing pattern is left out.
    private mutating func drawData(_ codewords: [UInt8]) {
        var next = 0
        for (column, right) in ([Int](stride(from: size - 1, to: 6, by: -2)) + [5, 3, 1]).enumerated() {
            for step in 0..<size {
                let y = column.isMultiple(of: 2) ? size - 1 - step : step
                for x in [right, right - 1] where !isFixed[y * size + x] && next < codewords.count * 8 {
                    dark[y * size + x] = codewords[next / 8] >> UInt8(7 - next % 8) & 1 == 1
                    next += 1
                }
            }
        }
    }

    private func masked(_ mask: Int) -> QRCode {
        var code = self
        code.drawFormat(mask: mask)
        for y in 0..<size {
            for x in 0..<size where !isFixed[y * size + x] && Self.flips(mask, x, y) {
                code.dark[y * size + x].toggle()
            }
        }
        return code
    }

    private static func flips(_ mask: Int, _ x: Int, _ y: Int) -> Bool {
        switch mask {
        case 0: (x + y) % 2 == 0
        case 1: y % 2 == 0
        case 2: x % 3 == 0
        case 3: (x + y) % 3 == 0
        case 4: (x / 3 + y / 2) % 2 == 0
        case 5: x * y % 2 + x * y % 3 == 0
        case 6: (x * y % 2 + x * y % 3) % 2 == 0
        default: ((x + y) % 2 + x * y % 3) % 2 == 0
        }
    }

    /// How much there is that confuses readers: runs of one colour, squares of it, what looks like a corner's pattern, and
    /// too much of one colour.
    private var penalty: Int {
        var sum = 0
        for i in 0..<size {
            sum += Self.penalty(ofLine: (0..<size).map { isDark(x: $0, y: i) })
            sum += Self.penalty(ofLine: (0..<size).map { isDark(x: i, y: $0) })
        }
        for y in 1..<size {
            for x in 1..<size {
                let corner = isDark(x: x, y: y)
                if corner == isDark(x: x - 1, y: y), corner == isDark(x: x, y: y - 1),
                    corner == isDark(x: x - 1, y: y - 1)
                {
                    sum += 3
                }
            }
        }
        return sum + abs(dark.count { $0 } * 20 - dark.count * 10) / dark.count * 10
    }

    private static func penalty(ofLine line: [Bool]) -> Int {
        var sum = 0
        var run = 0
        for i in line.indices {
            run = i > 0 && line[i] == line[i - 1] ? run + 1 : 1
            if run >= 5 { sum += run == 5 ? 3 : 1 }
        }
        let finder = [true, false, true, true, true, false, true]
        let light = [Bool](repeating: false, count: 4)
        for start in 0...line.count - 11 {
            let window = line[start..<start + 11]
            if window.elementsEqual(finder + light) || window.elementsEqual(light + finder) { sum += 40 }
        }
        return sum
    }
}
