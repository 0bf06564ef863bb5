import Testing

@testable import Concord

@Suite struct SignatureTests {
    /// The key 1, the text "Satoshi Nakamoto" and RFC 6979: a vector that many libraries share.
    static let key = PublicKey(hex: "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")!
    static let digest = SHA256.hash("Satoshi Nakamoto")
    static let r = [UInt8](hex: "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8")!
    static let s = [UInt8](hex: "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5")!
    static let order = [UInt8](hex: "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")!
    static let good = sequence(integer([0] + r) + integer(s))

    static func integer(_ bytes: [UInt8]) -> [UInt8] { [0x02, UInt8(bytes.count)] + bytes }
    static func sequence(_ bytes: [UInt8]) -> [UInt8] { [0x30, UInt8(bytes.count)] + bytes }

    static func subtract(_ b: [UInt8], from a: [UInt8]) -> [UInt8] {
        var borrow = 0
        return zip(a, b).reversed().map { x, y in
            let difference = Int(x) - Int(y) - borrow
            borrow = difference < 0 ? 1 : 0
            return UInt8(truncatingIfNeeded: difference)
        }.reversed()
    }

    static func verify(_ signature: [UInt8]) throws(SignatureError) {
        try key.verify(signature, over: digest)
    }

    static func malformed(_ reason: ParseError.Reason, at offset: Int) -> SignatureError {
        .notStrictDER(ParseError(reason, at: offset))
    }

    @Test func aGoodSignatureVerifies() throws {
        try Self.verify(Self.good)
        #expect(Self.key.isValid(signature: Self.good, over: Self.digest))
    }

    @Test func anotherDigestOrKeyIsWrong() throws {
        #expect(throws: SignatureError.wrong) { try Self.key.verify(Self.good, over: .zero) }
        let other = try #require(
            PublicKey(hex: "0379be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"))
        #expect(throws: SignatureError.wrong) { try other.verify(Self.good, over: Self.digest) }
        #expect(!other.isValid(signature: Self.good, over: Self.digest))
    }

    @Test func highSIsRefused() {
        let high = Self.subtract(Self.s, from: Self.order)
        let signature = Self.sequence(Self.integer([0] + Self.r) + Self.integer([0] + high))
        #expect(throws: SignatureError.highS) { try Self.verify(signature) }
    }

    @Test func zeroIsRefused() {
        #expect(throws: SignatureError.zero) {
            try Self.verify(Self.sequence(Self.integer([0]) + Self.integer(Self.s)))
        }
        #expect(throws: SignatureError.zero) {
            try Self.verify(Self.sequence(Self.integer([0] + Self.r) + Self.integer([0])))
        }
    }

    @Test func theOrderAndMoreAreOutOfRange() {
        for number in [
            [0] + Self.order, [0] + [UInt8](repeating: 0xff, count: 32), [1] + Self.r, [1, 0] + Self.r,
        ] {
            #expect(throws: SignatureError.outOfRange) {
                try Self.verify(Self.sequence(Self.integer(number) + Self.integer(Self.s)))
            }
            #expect(throws: SignatureError.outOfRange) {
                try Self.verify(Self.sequence(Self.integer([0] + Self.r) + Self.integer(number)))
            }
        }
    }

    @Test func paddingIsRefused() {
        let (r, s) = ([0] + Self.r, Self.s)
        #expect(throws: Self.malformed(.notCanonical, at: 4)) {
            try Self.verify(Self.sequence(Self.integer([0] + r) + Self.integer(s)))
        }
        #expect(throws: Self.malformed(.notCanonical, at: 39)) {
            try Self.verify(Self.sequence(Self.integer(r) + Self.integer([0] + s)))
        }
        #expect(throws: Self.malformed(.notCanonical, at: 4)) {
            try Self.verify(Self.sequence(Self.integer([0, 0]) + Self.integer(s)))
        }
    }

    @Test func negativeAndEmptyIntegersAreRefused() {
        #expect(throws: Self.malformed(.malformed("has a negative INTEGER"), at: 4)) {
            try Self.verify(Self.sequence(Self.integer(Self.r) + Self.integer(Self.s)))
        }
        #expect(throws: Self.malformed(.malformed("has an INTEGER without bytes"), at: 4)) {
            try Self.verify(Self.sequence(Self.integer([]) + Self.integer(Self.s)))
        }
    }

    @Test func longLengthsAreRefused() {
        let body = Array(Self.good.dropFirst(2))
        #expect(throws: Self.malformed(.notCanonical, at: 1)) {
            try Self.verify([0x30, 0x81, UInt8(body.count)] + body)
        }
        #expect(throws: Self.malformed(.notCanonical, at: 1)) {
            try Self.verify([0x30, 0x80] + body + [0, 0])
        }
        #expect(throws: Self.malformed(.notCanonical, at: 3)) {
            try Self.verify(Self.sequence([0x02, 0x81, 0x21, 0] + Self.r + Self.integer(Self.s)))
        }
    }

    @Test func otherTagsAreRefused() {
        for (offset, tag) in [(0, 0x31), (0, 0x10), (2, 0x03), (37, 0x42)] as [(Int, UInt8)] {
            var signature = Self.good
            signature[offset] = tag
            let name = offset == 0 ? "a SEQUENCE" : "an INTEGER"
            #expect(throws: Self.malformed(.malformed("has no \(name) there"), at: offset)) {
                try Self.verify(signature)
            }
        }
    }

    @Test func trailingBytesAreForbidden() {
        let body = Array(Self.good.dropFirst(2))
        // Behind the sequence, a signature hash type of Bitcoin's too, and inside it.
        #expect(throws: Self.malformed(.trailingBytes, at: 71)) { try Self.verify(Self.good + [0]) }
        #expect(throws: Self.malformed(.trailingBytes, at: 71)) { try Self.verify(Self.good + [0x01]) }
        #expect(throws: Self.malformed(.trailingBytes, at: 71)) { try Self.verify(Self.good + Self.good) }
        #expect(throws: Self.malformed(.trailingBytes, at: 71)) {
            try Self.verify(Self.sequence(body + [5, 0]))
        }
    }

    @Test func truncationAtEachLengthIsRefused() {
        for count in 0..<Self.good.count {
            #expect(throws: Self.malformed(.truncated, at: min(count, 1)), "\(count) bytes") {
                try Self.verify(Array(Self.good.prefix(count)))
            }
        }
        // With a length that is right again.
        let body = Self.good.dropFirst(2)
        for count in 0..<body.count {
            #expect(throws: SignatureError.self, "\(count) bytes inside") {
                try Self.verify(Self.sequence(Array(body.prefix(count))))
            }
        }
    }

    @Test func eachChangedBitIsRefused() {
        for bit in 0..<Self.good.count * 8 {
            var signature = Self.good
            signature[bit / 8] ^= 1 << (bit % 8)
            #expect(!Self.key.isValid(signature: signature, over: Self.digest), "bit \(bit)")
        }
    }

    @Test func errorsSayWhatAndWhere() {
        #expect(
            "\(Self.malformed(.trailingBytes, at: 71))"
                == "the signature is not strict DER: has bytes behind its end (at byte 71)")
    }
}
