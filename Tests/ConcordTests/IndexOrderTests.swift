import TestSupport
import Testing

@testable import Concord

@Suite struct IndexOrderTests {
    /// The rule: by the bytes of the VARINT.
    static func slow(_ a: UInt32, _ b: UInt32) -> Bool {
        func varInt(_ index: UInt32) -> [UInt8] { bytes { $0.appendVarInt(UInt64(index)) } }
        return varInt(a).lexicographicallyPrecedes(varInt(b))
    }

    @Test func theOrderOfDumpsIsThatOfVarInts() {
        var random = SeededRandom()
        let edges: [UInt32] = [
            0, 1, 127, 128, 255, 256, 383, 384, 16_511, 16_512, 16_513, 16_639, 16_640, 65_535,
        ]
        let far: [UInt32] = [69_999, 2_113_663, 2_113_664, 270_549_119, 270_549_120, .max - 1, .max]
        let some = (0..<40).map { _ in
            UInt32.random(in: 0...(UInt32.max >> UInt32.random(in: 0..<32, using: &random)), using: &random)
        }
        let all = edges + far + some
        for a in all {
            for b in all {
                let isBefore = IndexOrder.dump.key(a) < IndexOrder.dump.key(b)
                #expect(isBefore == Self.slow(a, b), "\(a) \(b), seed \(random.seed)")
                #expect((IndexOrder.number.key(a) < IndexOrder.number.key(b)) == (a < b))
            }
        }
    }

    @Test func bothOrdersAreOneUpTo16511() {
        for index in 1...16_511 as ClosedRange<UInt32> {
            #expect(IndexOrder.dump.key(index - 1) < IndexOrder.dump.key(index))
        }
        let key = IndexOrder.dump.key
        #expect(key(255) < key(16_512) && key(16_512) < key(16_639) && key(16_639) < key(256))
    }
}
