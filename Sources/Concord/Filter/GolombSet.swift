/// Ascending numbers as a Golomb-Rice code of their differences: the code of BIP158 (Bitcoin Core: `GCSFilter`).
///
/// Of a difference d come ⌊d / 2^P⌋ one-bits, a zero-bit, and d mod 2^P in P bits, the most significant first; zero-bits
/// fill the last byte.
public struct GolombSet: Sendable {
    /// Bits of a remainder.
    public let p: Int
    /// How many times more values there are than elements.
    public let m: UInt64

    public init(p: Int, m: UInt64) {
        (self.p, self.m) = (p, m)
    }

    /// Where the hash of an element falls among `count` of them: ⌊hash · count · M / 2^64⌋.
    @inline(__always)
    public func value(_ hash: UInt64, of count: UInt64) -> UInt64 {
        hash.multipliedFullWidth(by: count &* m).high
    }

    /// Appends the code of values, which must ascend or repeat.
    public func encode(_ values: some Sequence<UInt64>, to out: inout ByteBuffer) {
        var bits: UInt64 = 0
        var held = 0
        var last: UInt64 = 0
        // At most 56 bits at a time, so that there is room beside the seven that may wait.
        func append(_ value: UInt64, _ count: Int, to out: inout ByteBuffer) {
            bits = bits << UInt64(count) | value
            held += count
            while held >= 8 {
                held -= 8
                out.append(UInt8(truncatingIfNeeded: bits >> UInt64(held)))
            }
            bits &= 1 << UInt64(held) - 1
        }
        for value in values {
            let difference = value - last
            last = value
            var ones = difference >> UInt64(p)
            while ones > 0 {
                let some = min(ones, 32)
                append(1 << some - 1, Int(some), to: &out)
                ones -= some
            }
            append(0, 1, to: &out)
            append(difference & (1 << UInt64(p) - 1), p, to: &out)
        }
        if held > 0 { append(0, 8 - held, to: &out) }
    }

    /// Reads `count` values one by one, and then that nothing but zero-bits to the byte's end is left.
    public struct Reader {
        private let bytes: UnsafeRawBufferPointer
        private let p: Int
        private let limit: UInt64
        private var left: UInt64
        private var last: UInt64 = 0
        /// Bits read.
        private var position = 0

        /// - Parameter bytes: the code alone, without the count before it.
        init(_ bytes: UnsafeRawBufferPointer, _ code: GolombSet, count: UInt64) {
            self.bytes = bytes
            p = code.p
            left = count
            limit = count.multipliedReportingOverflow(by: code.m).partialValue
        }

        @inline(__always)
        private mutating func bit() throws(ParseError) -> UInt64 {
            guard position < 8 * bytes.count else { throw ParseError(.truncated, at: bytes.count) }
            defer { position &+= 1 }
            return UInt64(bytes[position &>> 3] &>> UInt8(7 &- position & 7) & 1)
        }

        /// The next value; nil behind the last.
        public mutating func next() throws(ParseError) -> UInt64? {
            guard left > 0 else {
                guard bytes.count == (position + 7) / 8 else {
                    throw ParseError(.trailingBytes, at: (position + 7) / 8)
                }
                while position & 7 != 0 {
                    guard try bit() == 0 else {
                        throw ParseError(.malformed("has padding other than zero-bits"), at: bytes.count - 1)
                    }
                }
                return nil
            }
            left -= 1
            let start = position / 8
            var difference: UInt64 = 0
            while try bit() == 1 { difference += 1 }
            for _ in 0..<p { difference = difference << 1 | (try bit()) }
            let (value, isOverflowing) = last.addingReportingOverflow(difference)
            guard !isOverflowing, value < limit else {
                throw ParseError(.outOfRange("a value of a filter"), at: start)
            }
            last = value
            return value
        }
    }
}
