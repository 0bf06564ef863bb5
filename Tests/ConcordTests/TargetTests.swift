import TestSupport
import Testing

@testable import Concord

@Suite struct TargetTests {
    /// What Bitcoin Core's `arith_uint256_tests` says: the number without its leading zeros, and its compact form.
    @Test(
        arguments: [
            (0, "", 0), (0x0012_3456, "", 0), (0x0100_3456, "", 0), (0x0200_0056, "", 0),
            (0x0300_0000, "", 0),
            (0x0400_0000, "", 0), (0x0092_3456, "", 0), (0x0180_3456, "", 0), (0x0280_0056, "", 0),
            (0x0380_0000, "", 0), (0x0480_0000, "", 0), (0x0112_3456, "12", 0x0112_0000),
            (0x0212_3456, "1234", 0x0212_3400), (0x0312_3456, "123456", 0x0312_3456),
            (0x0412_3456, "12345600", 0x0412_3456), (0x0500_9234, "92340000", 0x0500_9234),
            (0x2012_3456, "123456" + String(repeating: "0", count: 58), 0x2012_3456),
        ] as [(UInt32, String, UInt32)])
    func compactFormsAreBitcoinCores(bits: UInt32, digits: String, shortest: UInt32) {
        let target = Target(bits: bits)
        #expect(target?.hex == String(repeating: "0", count: 64 - digits.count) + digits)
        #expect(target?.bits == shortest)
    }

    /// What Bitcoin Core's `blockchain_tests` says, to its five decimals.
    @Test(
        arguments: [
            (0x1f11_1111, 0.000001), (0x1ef8_8f6f, 0.000016), (0x1df8_8f6f, 0.004023),
            (0x1cf8_8f6f, 1.029916),
            (0x1234_5678, 5_913_134_931_067_755_359_633_408), (0x1d00_ffff, 1), (0x1d00_0000, .infinity),
        ] as [(UInt32, Double)])
    func difficultyIsBitcoinCores(bits: UInt32, difficulty: Double) {
        let own = Target.difficulty(bits: bits)
        #expect(own == difficulty || abs(own - difficulty) < 0.00001)
    }

    /// Negative, and over 256 bits.
    @Test(
        arguments: [
            0x01fe_dcba, 0x0492_3456, 0x1d80_0001, 0xff12_3456, 0xff7f_ffff, 0x2300_0001, 0x2200_0100,
            0x2101_0000,
        ] as [UInt32])
    func thereIsNoTarget(bits: UInt32) {
        #expect(Target(bits: bits) == nil)
    }

    /// The largest that there is of each size.
    @Test func theLastThatFits() {
        #expect(Target(bits: 0x2200_00ff)?.hex == "ff" + String(repeating: "0", count: 62))
        #expect(Target(bits: 0x2100_ffff)?.hex == "ffff" + String(repeating: "0", count: 60))
        #expect(Target(high: .max, low: .max).bits == 0x2100_ffff)
    }

    /// A mantissa never has the sign's bit.
    @Test func theSignIsNotUsed() {
        #expect(Target(high: 0, low: 0x80).bits == 0x0200_8000)
        #expect(Target(high: 0, low: 0x7f).bits == 0x017f_0000)
        #expect(Target(high: 0, low: 0xffff_ffff).bits == 0x0500_ffff)
    }

    @Test func shortestFormsComeBack() {
        var random = SeededRandom()
        for size in 3...32 {
            for _ in 0..<50 {
                let bits = UInt32(size) << 24 | UInt32.random(in: 0x8000...0x7f_ffff, using: &random)
                #expect(Target(bits: bits)?.bits == bits)
            }
        }
    }

    @Test func theyAreOrdered() throws {
        let ordered = [0, 0x0101_0000, 0x0312_3456, 0x1200_ffff, 0x1d00_fffe, 0x1d00_ffff, 0x207f_ffff]
            .compactMap { Target(bits: UInt32($0)) }
        for i in ordered.indices {
            for j in ordered.indices { #expect((ordered[i] < ordered[j]) == (i < j)) }
        }
    }

    /// Each network's limit, as Bitcoin Core has it.
    @Test func limits() {
        let easiest = String(repeating: "0", count: 8) + String(repeating: "f", count: 56)
        let limits = Network.allCases.map { HeaderRules($0).limit }
        #expect(
            limits.map(\.hex) == [
                easiest, easiest, "00000377ae" + String(repeating: "0", count: 54),
                "7" + String(repeating: "f", count: 63),
            ])
        #expect(limits.map(\.bits) == [0x1d00_ffff, 0x1d00_ffff, 0x1e03_77ae, 0x207f_ffff])
    }

    /// Bitcoin Core's `pow_tests`: no limit reached, the easiest target, a quarter of the time, four times.
    @Test(
        arguments: [
            (1_261_130_161, 1_262_152_739, 0x1d00_ffff, 0x1d00_d86a),
            (1_231_006_505, 1_233_061_996, 0x1d00_ffff, 0x1d00_ffff),
            (1_279_008_237, 1_279_297_671, 0x1c05_a3f4, 0x1c01_68fd),
            (1_263_163_443, 1_269_211_443, 0x1c38_7f6f, 0x1d00_e1fd),
        ] as [(UInt32, UInt32, UInt32, UInt32)])
    func retargetsAreBitcoinCores(first: UInt32, last: UInt32, bits: UInt32, next: UInt32) {
        #expect(HeaderRules(.main).bits(afterPeriodFrom: (first, 0x1b00_ffff), to: (last, bits)) == next)
        // With BIP 94 it is the first block's target that counts.
        #expect(HeaderRules(.testnet4).bits(afterPeriodFrom: (first, bits), to: (last, 0x1d00_ffff)) == next)
        #expect(HeaderRules(.regtest).bits(afterPeriodFrom: (first, 0x1b00_ffff), to: (last, bits)) == bits)
    }
}
