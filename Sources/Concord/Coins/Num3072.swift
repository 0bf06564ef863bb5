/// An element of MuHash's group: the numbers 1 ..< p under multiplication modulo the prime p = 2^3072 - 1103717.
///
/// Bitcoin Core: `Num3072` (crypto/muhash.h). Here the number is below p at all times, so equal elements have equal
/// limbs. Zero is no element of the group: neither parsing nor, but for luck of 1 in 2^3071, hashing gives it.
public struct Num3072: Sendable {
    /// 48 words of 64 bits, least significant first.
    private var limbs: InlineArray<48, UInt64>

    /// 2^3072 - p: what a carry out of the 48 limbs is worth.
    private static let excess: UInt64 = 1_103_717

    /// The neutral element, the product of no elements.
    public static let one = Num3072(1)

    init(_ value: UInt64) {
        limbs = InlineArray(repeating: 0)
        limbs[0] = value
    }

    /// The number modulo p whose 48 limbs `fill` writes, least significant first.
    init(filling fill: (UnsafeMutablePointer<UInt64>) -> Void) {
        self.init(0)
        withLimbs { fill($0) }
        reduce()
    }

    /// Multiplies by `factor` modulo p.
    public mutating func multiply(by factor: Num3072) {
        withLimbs { product in
            factor.limbs.span.withUnsafeBufferPointer {
                if let other = $0.baseAddress { Limbs.multiply(product, by: other, excess: Num3072.excess) }
            }
        }
        reduce()
    }

    /// Multiplies by itself modulo p.
    public mutating func square() {
        multiply(by: copy self)
    }

    /// The element that times this one is one; zero for zero.
    ///
    /// Fermat: x^(p-2), where p - 2 = (2^3051 - 1) * 2^21 + 993433. About 3,100 multiplications: invert many
    /// elements with `invert(_:)`.
    public func inverse() -> Num3072 {
        // x^(2^3051 - 1) by the binary digits of 3051: from n ones in a row to 2n, and to 2n + 1.
        var ones = self
        var length = 1
        for bit in (0..<11).reversed() {
            let shorter = ones
            for _ in 0..<length { ones.square() }
            ones.multiply(by: shorter)
            length *= 2
            if 3051 >> bit & 1 == 1 {
                ones.square()
                ones.multiply(by: self)
                length += 1
            }
        }
        for bit in (0..<21).reversed() {
            ones.square()
            if 993_433 >> bit & 1 == 1 { ones.multiply(by: self) }
        }
        return ones
    }

    /// Replaces every element by its inverse, for the price of one inverse and three multiplications an element
    /// (Montgomery's trick). None may be zero.
    public static func invert(_ elements: inout [Num3072]) {
        var products: [Num3072] = []
        products.reserveCapacity(elements.count)
        var product = Num3072.one
        for element in elements {
            products.append(product)
            product.multiply(by: element)
        }
        var inverse = product.inverse()
        for i in elements.indices.reversed() {
            let element = elements[i]
            elements[i] = inverse
            elements[i].multiply(by: products[i])
            inverse.multiply(by: element)
        }
    }
}

extension Num3072: Equatable {
    public static func == (a: Num3072, b: Num3072) -> Bool {
        for i in 0..<48 where a.limbs[i] != b.limbs[i] { return false }
        return true
    }
}

extension Num3072 {
    /// Bytes of an encoded element.
    public static let byteCount = 384

    /// 384 bytes, least significant first (Bitcoin Core: `Num3072::ToBytes`). Refuses zero and p or more, where Core
    /// reduces, so that each element has one form only.
    public init(parsing cursor: inout ByteCursor) throws(ParseError) {
        let start = cursor.offset
        self.init(0)
        for i in 0..<48 { limbs[i] = try cursor.readUInt64() }
        guard !isOverflowing else { throw ParseError(.notCanonical, at: start) }
        guard self != Num3072(0) else { throw ParseError(.outOfRange("a MuHash element"), at: start) }
    }

    /// 384 bytes, least significant first.
    public func encode(into buffer: inout ByteBuffer) {
        for i in 0..<48 { buffer.append(limbs[i]) }
    }

    /// SHA-256 of the encoded element, which is what Bitcoin Core shows of a set (`MuHash3072::Finalize`).
    public var digest: Digest {
        var bytes = limbs
        for i in 0..<48 { bytes[i] = limbs[i].littleEndian }
        return bytes.span.bytes.withUnsafeBytes { SHA256.hash($0) }
    }
}

extension Num3072 {
    @inline(__always)
    private mutating func withLimbs(_ body: (UnsafeMutablePointer<UInt64>) -> Void) {
        var span = limbs.mutableSpan
        span.withUnsafeMutableBufferPointer {
            if let base = $0.baseAddress { body(base) }
        }
    }

    /// Whether the limbs hold p or more.
    private var isOverflowing: Bool {
        if limbs[47] != .max { return false }
        for i in 1..<47 where limbs[i] != .max { return false }
        return limbs[0] >= 0 &- Num3072.excess
    }

    /// Subtracts p, if the limbs hold p or more: then all but the lowest are full, and nothing but that one is left.
    @inline(__always)
    private mutating func reduce() {
        if isOverflowing { self = Num3072(limbs[0] &+ Num3072.excess) }
    }
}
