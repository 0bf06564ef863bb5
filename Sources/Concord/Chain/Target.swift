/// The number of 256 bits that a block's hash, as a little-endian number, must not exceed; kept in two halves.
///
/// Its compact form, the `bits` of a header, is a mantissa of 23 bits with a sign above it, and in the top byte the
/// number of bytes of the whole (Bitcoin Core's `arith_uint256`).
public struct Target: Hashable, Sendable {
    let high, low: UInt128

    init(high: UInt128, low: UInt128) {
        (self.high, self.low) = (high, low)
    }

    /// The number that a compact form stands for, which may be zero; nil for one that is negative or over 256 bits
    /// (`arith_uint256::SetCompact`).
    public init?(bits: UInt32) {
        let size = Int(bits >> 24)
        let mantissa = size < 3 ? (bits & 0x7f_ffff) >> UInt32(8 * (3 - size)) : bits & 0x7f_ffff
        guard mantissa != 0 else {
            self.init(high: 0, low: 0)
            return
        }
        let isTooLarge = size > 34 || mantissa > 0xff && size > 33 || mantissa > 0xffff && size > 32
        guard bits & 0x80_0000 == 0, !isTooLarge else { return nil }
        let shift = max(0, 8 * (size - 3))
        // Shifts by more than the width give zero, and by less than zero go the other way.
        self.init(high: UInt128(mantissa) >> (128 - shift), low: UInt128(mantissa) << shift)
    }

    /// The compact form; what lies below its mantissa is left out (`arith_uint256::GetCompact`).
    public var bits: UInt32 {
        let width = high == 0 ? 128 - low.leadingZeroBitCount : 256 - high.leadingZeroBitCount
        var size = (width + 7) / 8
        let shift = 8 * (size - 3)
        var mantissa = UInt32(truncatingIfNeeded: low >> shift | high << (128 - shift))
        // The top bit of the mantissa would be the sign.
        if mantissa & 0x80_0000 != 0 {
            mantissa >>= 8
            size += 1
        }
        return mantissa | UInt32(size) << 24
    }

    /// 64 hex digits, the highest first, as Bitcoin Core prints targets.
    public var hex: String { high.hex + low.hex }

    /// How much harder than Bitcoin's first target one with this compact form is (Bitcoin Core's `GetDifficulty`, with its
    /// rounding); infinite for zero.
    public static func difficulty(bits: UInt32) -> Double {
        var difficulty = Double(0xffff) / Double(bits & 0xff_ffff)
        let size = Int(bits >> 24)
        for _ in size..<max(size, 29) { difficulty *= 256 }
        for _ in min(size, 29)..<size { difficulty /= 256 }
        return difficulty
    }

    /// This number · `span` / `whole`, rounded down. What the product has above 256 bits is lost, as in Bitcoin Core;
    /// no target that a network allows comes near that.
    func scaled(by span: UInt32, of whole: UInt32) -> Target {
        let (factor, divisor) = (UInt128(span), UInt128(whole))
        let product = low.multipliedFullWidth(by: factor)
        let above = (high &* factor &+ product.high).quotientAndRemainder(dividingBy: divisor)
        return Target(
            high: above.quotient, low: divisor.dividingFullWidth((above.remainder, product.low)).quotient)
    }
}

extension Target: Comparable {
    public static func < (a: Target, b: Target) -> Bool {
        a.high == b.high ? a.low < b.low : a.high < b.high
    }
}

extension UInt128 {
    /// 32 hex digits.
    public var hex: String {
        let digits = String(self, radix: 16)
        return String(repeating: "0", count: 32 - digits.count) + digits
    }
}
