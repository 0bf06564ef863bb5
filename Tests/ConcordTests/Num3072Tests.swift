import Testing

@testable import Concord

@Suite struct Num3072Tests {
    static let excess: UInt64 = 1_103_717

    static func number(_ limbs: [UInt64]) -> Num3072 {
        Num3072 { for (i, limb) in limbs.enumerated() { $0[i] = limb } }
    }

    static func limbs(_ number: Num3072) -> [UInt64] {
        bytes(number).withUnsafeBytes { raw in
            (0..<48).map { UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self)) }
        }
    }

    static func bytes(_ number: Num3072) -> [UInt8] {
        var buffer = ByteBuffer()
        number.encode(into: &buffer)
        return [UInt8](buffer.bytes)
    }

    static func parse(_ limbs: [UInt64]) throws(ParseError) -> Num3072 {
        let bytes = limbs.flatMap { limb in (0..<8).map { UInt8(truncatingIfNeeded: limb >> (8 * $0)) } }
        return try bytes.withBytes { raw throws(ParseError) in
            var cursor = ByteCursor(raw)
            let number = try Num3072(parsing: &cursor)
            try cursor.finish()
            return number
        }
    }

    /// 2^3072 - below, for a number below 2^64 that is not 0.
    static func top(_ below: UInt64) -> [UInt64] {
        [0 &- below] + [UInt64](repeating: .max, count: 47)
    }

    static func product(_ a: Num3072, _ b: Num3072) -> Num3072 {
        var product = a
        product.multiply(by: b)
        return product
    }

    /// a * b mod p, bit by bit: nothing here is as in the code under test.
    static func slowProduct(_ a: [UInt64], _ b: [UInt64]) -> [UInt64] {
        let prime = top(excess)
        func sum(_ x: [UInt64], _ y: [UInt64]) -> [UInt64] {
            var result = [UInt64](repeating: 0, count: 49)
            for i in 0..<48 {
                let (low, carry) = x[i].addingReportingOverflow(y[i])
                let (both, another) = low.addingReportingOverflow(result[i])
                result[i] = both
                result[i + 1] = (carry ? 1 : 0) + (another ? 1 : 0)
            }
            let isBelow =
                result[48] == 0 && result[..<48].reversed().lexicographicallyPrecedes(prime.reversed())
            if isBelow { return Array(result[..<48]) }
            var borrow: UInt64 = 0
            for i in 0..<48 {
                let (low, under) = result[i].subtractingReportingOverflow(prime[i])
                let (both, another) = low.subtractingReportingOverflow(borrow)
                result[i] = both
                borrow = (under ? 1 : 0) + (another ? 1 : 0)
            }
            return Array(result[..<48])
        }
        var result = [UInt64](repeating: 0, count: 48)
        for bit in (0..<3072).reversed() {
            result = sum(result, result)
            if b[bit / 64] >> (bit % 64) & 1 == 1 { result = sum(result, a) }
        }
        return result
    }

    @Test(arguments: [UInt64.random(in: 0 ... .max)])
    func productsAreThoseOfSchool(seed: UInt64) {
        print("Num3072Tests.productsAreThoseOfSchool: seed \(seed)")
        var random = SplitMix64(state: seed)
        for round in 0..<40 {
            // Every other number is mostly of empty and full limbs, for the carries.
            var pair: [[UInt64]] = []
            for _ in 0..<2 {
                var limbs = (0..<48).map { _ in random.next() }
                if round % 2 == 1 {
                    limbs = limbs.map { [$0, 0, 0, .max, .max][Int($0 % 5)] }
                    limbs[47] &= ~2
                }
                // Halves that are equal, or equal at the top, have a difference of nothing or little.
                if round % 8 == 3 { limbs.replaceSubrange(24..<48, with: limbs[..<24]) }
                if round % 8 == 7 { limbs.replaceSubrange(25..<48, with: limbs[1..<24]) }
                pair.append(Self.limbs(Self.number(limbs)))
            }
            let (a, b) = (Self.number(pair[0]), Self.number(pair[1]))
            let product = Self.product(a, b)
            #expect(Self.limbs(product) == Self.slowProduct(pair[0], pair[1]), "seed \(seed), round \(round)")
            #expect(Self.product(b, a) == product, "seed \(seed), round \(round)")
            var square = a
            square.square()
            #expect(Self.limbs(square) == Self.slowProduct(pair[0], pair[0]), "seed \(seed), round \(round)")
        }
    }

    @Test(arguments: [UInt64.random(in: 0 ... .max)])
    func theGroupsLaws(seed: UInt64) {
        print("Num3072Tests.theGroupsLaws: seed \(seed)")
        var random = SplitMix64(state: seed)
        for _ in 0..<10 {
            let (a, b, c) = (random.element(), random.element(), random.element())
            let left = Self.product(Self.product(a, b), c)
            let right = Self.product(a, Self.product(b, c))
            #expect(left == right, "seed \(seed)")
            #expect(left != Self.product(a, b), "seed \(seed)")
            #expect(Self.product(a, .one) == a, "seed \(seed)")
            #expect(Self.product(a, a.inverse()) == .one, "seed \(seed)")
        }
    }

    @Test func edges() {
        let zero = Num3072(0)
        let minusOne = Self.number(Self.top(Self.excess + 1))
        let two = Num3072(2)
        #expect(Self.product(minusOne, minusOne) == .one)
        #expect(Self.product(minusOne, two) == Self.number(Self.top(Self.excess + 2)))
        #expect(Self.product(minusOne, zero) == zero)
        #expect(Self.product(zero, zero) == zero)
        // A carry that comes back twice.
        for s in [Self.excess, 2_000_000, Self.excess * Self.excess - 1] {
            #expect(Self.product(minusOne, Self.number(Self.top(Self.excess + s))) == Num3072(s))
        }
        // 2^1536, squared.
        var half = [UInt64](repeating: 0, count: 48)
        half[24] = 1
        #expect(Self.product(Self.number(half), Self.number(half)) == Num3072(Self.excess))
        // What is not below p is taken modulo p.
        #expect(Self.number(Self.top(Self.excess)) == zero)
        #expect(Self.number(Self.top(Self.excess - 5)) == Num3072(5))
        #expect(Self.number(Self.top(1)) == Num3072(Self.excess - 1))
    }

    @Test func inversesOfEdges() {
        let minusOne = Self.number(Self.top(Self.excess + 1))
        #expect(Num3072.one.inverse() == .one)
        #expect(minusOne.inverse() == minusOne)
        #expect(Self.product(Num3072(2).inverse(), Num3072(2)) == .one)
        #expect(Num3072(0).inverse() == Num3072(0))
    }

    @Test(arguments: [0, 1, 2, 33])
    func manyInversesAtOnce(count: Int) {
        let seed = UInt64.random(in: 0 ... .max)
        print("Num3072Tests.manyInversesAtOnce: seed \(seed)")
        var random = SplitMix64(state: seed)
        let elements = (0..<count).map { _ in random.element() }
        var inverses = elements
        Num3072.invert(&inverses)
        #expect(inverses.count == count)
        for (element, inverse) in zip(elements, inverses) {
            #expect(Self.product(element, inverse) == .one, "seed \(seed)")
        }
        #expect(inverses.first == elements.first?.inverse(), "seed \(seed)")
    }

    @Test func bytesAreLeastSignificantFirst() throws {
        let number = Self.number((0..<48).map { 0x0807_0605_0403_0201 &+ 0x0808_0808_0808_0808 &* ($0 % 30) })
        let bytes = Self.bytes(number)
        #expect(bytes.count == Num3072.byteCount)
        #expect(Array(bytes[..<240]) == Array(1...240))
        #expect(try Self.parse(Self.limbs(number)) == number)
        #expect(number.digest == SHA256.hash(bytes))
        #expect(try Self.parse([1] + [UInt64](repeating: 0, count: 47)) == .one)
    }

    @Test func onlyElementsOfTheGroupAreParsed() throws {
        let greatest = try Self.parse(Self.top(Self.excess + 1))
        #expect(Self.product(greatest, greatest) == .one)
        for below in [Self.excess, Self.excess - 1, 1] {
            #expect(throws: ParseError(.notCanonical, at: 0)) { try Self.parse(Self.top(below)) }
        }
        #expect(throws: ParseError(.outOfRange("a MuHash element"), at: 0)) {
            try Self.parse([UInt64](repeating: 0, count: 48))
        }
        #expect(throws: ParseError(.truncated, at: 376)) { try Self.parse([UInt64](repeating: 1, count: 47)) }
        #expect(throws: ParseError(.trailingBytes, at: 384)) {
            try Self.parse([UInt64](repeating: 1, count: 49))
        }
    }
}

/// Steele, Lea and Flood's generator: the same numbers for the same seed.
private struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }

    mutating func element() -> Num3072 {
        Num3072 { for i in 0..<48 { $0[i] = next() } }
    }
}
