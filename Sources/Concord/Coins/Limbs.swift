/// Multiplication of numbers of 48 limbs: words of 64 bits, least significant first. The time of MuHash goes here.
enum Limbs {
    typealias Constant = UnsafePointer<UInt64>
    typealias Mutable = UnsafeMutablePointer<UInt64>

    /// `a` becomes a number below 2^3072 that is `a * b` modulo 2^3072 - excess.
    ///
    /// Karatsuba once: of a = a1 B + a0 and b = b1 B + b0, where B = 2^1536, the products a0 b0, a1 b1 and
    /// (a0 - a1)(b0 - b1) make (B^2) a1 b1 + B (a0 b0 + a1 b1 - (a0 - a1)(b0 - b1)) + a0 b0.
    static func multiply(_ a: Mutable, by b: Constant, excess: UInt64) {
        var scratch = InlineArray<192, UInt64>(repeating: 0)
        var span = scratch.mutableSpan
        span.withUnsafeMutableBufferPointer {
            guard let low = $0.baseAddress else { return }
            let (high, cross, middle) = (low + 48, low + 96, low + 144)
            // The two differences lie where the middle comes last.
            let isNegative = difference(middle, a, a + 24) != difference(middle + 24, b, b + 24)
            multiplyHalves(cross, middle, middle + 24)
            multiplyHalves(low, a, b)
            multiplyHalves(high, a + 24, b + 24)

            // The cross product is subtracted, by adding its complement and one, or added.
            let mask: UInt64 = isNegative ? 0 : .max
            var sum = UInt128(mask & 1)
            for i in 0..<48 {
                sum = sum &+ UInt128(low[i]) &+ UInt128(high[i]) &+ UInt128(cross[i] ^ mask)
                middle[i] = UInt64(truncatingIfNeeded: sum)
                sum = sum &>> 64
            }
            let top = UInt64(truncatingIfNeeded: sum) &- (mask & 1)

            // What lies at or above 2^3072 = B^2 comes back at the bottom, times the excess.
            sum = 0
            for i in 0..<24 {
                let folded = (UInt128(high[i]) &+ UInt128(middle[24 + i])) &* UInt128(excess)
                sum = sum &+ UInt128(low[i]) &+ folded
                a[i] = UInt64(truncatingIfNeeded: sum)
                sum = sum &>> 64
            }
            sum = sum &+ UInt128(top) &* UInt128(excess)
            for i in 24..<48 {
                let folded = UInt128(high[i]) &* UInt128(excess)
                sum = sum &+ UInt128(low[i]) &+ folded &+ UInt128(middle[i - 24])
                a[i] = UInt64(truncatingIfNeeded: sum)
                sum = sum &>> 64
            }
            // A second time round is rare, and after it no carry is possible.
            while sum != 0 {
                sum *= UInt128(excess)
                for i in 0..<48 {
                    sum += UInt128(a[i])
                    a[i] = UInt64(truncatingIfNeeded: sum)
                    sum = sum &>> 64
                }
            }
        }
    }

    /// The 24 limbs of |x - y|; true if x < y.
    private static func difference(_ result: Mutable, _ x: Constant, _ y: Constant) -> Bool {
        var highest = 23
        while highest > 0 && x[highest] == y[highest] { highest -= 1 }
        let isLess = x[highest] < y[highest]
        let (larger, smaller) = isLess ? (y, x) : (x, y)
        var sum: Int128 = 0
        for i in 0..<24 {
            sum = sum &+ Int128(larger[i]) &- Int128(smaller[i])
            result[i] = UInt64(truncatingIfNeeded: sum)
            sum = sum &>> 64
        }
        return isLess
    }

    /// The 48 limbs of the product of 24 limbs and 24 limbs.
    ///
    /// Column k of the product is the sum of all `x[i] * y[k - i]`. Two columns are summed at a time, which share
    /// their loads and do not wait for each other's carries: on x86-64 a sixth faster than one column or four rows
    /// at a time.
    @inline(never)
    private static func multiplyHalves(_ result: Mutable, _ x: Constant, _ y: Constant) {
        var even = Column()
        var k = 0
        while k < 24 {
            var odd = Column()
            var above = y[k &+ 1]
            var i = 0
            while i <= k {
                let factor = x[i]
                odd.add(factor, above)
                above = y[k &- i]
                even.add(factor, above)
                i &+= 1
            }
            odd.add(x[k &+ 1], above)
            result[k] = even.shiftOut()
            even.add(odd)
            result[k &+ 1] = even.shiftOut()
            k &+= 2
        }
        while k < 46 {
            var odd = Column()
            var above = y[23]
            var i = k &- 23
            even.add(x[i], above)
            i &+= 1
            while i < 24 {
                let factor = x[i]
                odd.add(factor, above)
                above = y[k &- i]
                even.add(factor, above)
                i &+= 1
            }
            result[k] = even.shiftOut()
            even.add(odd)
            result[k &+ 1] = even.shiftOut()
            k &+= 2
        }
        even.add(x[23], y[23])
        result[46] = even.shiftOut()
        result[47] = even.shiftOut()
    }
}

/// The sum of a column of products: 192 bits, enough for 2^64 of them.
private struct Column {
    var low: UInt128 = 0
    var high: UInt64 = 0

    @inline(__always)
    mutating func add(_ a: UInt64, _ b: UInt64) {
        add(UInt128(a) &* UInt128(b))
    }

    @inline(__always)
    mutating func add(_ other: Column) {
        add(other.low)
        high &+= other.high
    }

    @inline(__always)
    private mutating func add(_ value: UInt128) {
        let (sum, isCarry) = low.addingReportingOverflow(value)
        low = sum
        high &+= isCarry ? 1 : 0
    }

    /// The lowest 64 bits; the rest moves down into the next column.
    @inline(__always)
    mutating func shiftOut() -> UInt64 {
        let limb = UInt64(truncatingIfNeeded: low)
        low = low &>> 64 | UInt128(high) &<< 64
        high = 0
        return limb
    }
}
