import TestSupport
import Testing

@testable import Concord

/// The rules against a slow reference that keeps all blocks and reckons with bytes, on chains without proof of work.
@Suite struct HeaderContextTests {
    /// A number of 40 bytes, least significant first.
    private struct Number {
        var bytes = [Int](repeating: 0, count: 40)

        init(compact bits: UInt32) {
            for i in 0..<3 where Int(bits >> 24) - 3 + i >= 0 {
                bytes[Int(bits >> 24) - 3 + i] = Int(bits >> (8 * UInt32(i)) & 0xff)
            }
        }

        /// Most significant first, in hex.
        init(_ digits: String) {
            for (i, byte) in hex(digits).reversed().enumerated() { bytes[i] = Int(byte) }
        }

        mutating func multiply(by factor: Int) {
            var carry = 0
            for i in bytes.indices {
                carry += bytes[i] * factor
                bytes[i] = carry & 0xff
                carry >>= 8
            }
        }

        mutating func divide(by divisor: Int) {
            var rest = 0
            for i in bytes.indices.reversed() {
                rest = rest << 8 | bytes[i]
                bytes[i] = rest / divisor
                rest %= divisor
            }
        }

        func isAbove(_ other: Number) -> Bool {
            other.bytes.reversed().lexicographicallyPrecedes(bytes.reversed())
        }

        var compact: UInt32 {
            var size = (bytes.lastIndex { $0 != 0 } ?? -1) + 1
            if size > 0, bytes[size - 1] >= 0x80 { size += 1 }
            return (1...3).reduce(UInt32(size)) { $0 << 8 | UInt32(size >= $1 ? bytes[size - $1] : 0) }
        }
    }

    private struct Reference {
        let network: Network
        var times: [Int] = []
        var bits: [UInt32] = []

        var period: Int { network == .regtest ? 144 : 2016 }
        var limit: Number {
            switch network {
            case .main, .testnet4:
                Number(String(repeating: "0", count: 8) + String(repeating: "f", count: 56))
            case .signet: Number("00000377ae" + String(repeating: "0", count: 54))
            case .regtest: Number("7" + String(repeating: "f", count: 63))
            }
        }
        var median: Int {
            let last = times.suffix(11).sorted()
            return last[last.count / 2]
        }

        /// `GetNextWorkRequired`.
        func required(_ time: Int) -> UInt32 {
            let easiest = limit.compact
            if times.count % period != 0 {
                guard network == .testnet4 || network == .regtest else { return bits[times.count - 1] }
                if time > times[times.count - 1] + 1200 { return easiest }
                var at = times.count - 1
                while at > 0, at % period != 0, bits[at] == easiest { at -= 1 }
                return bits[at]
            }
            if network == .regtest { return bits[times.count - 1] }
            let first = times.count - 2016
            var target = Number(compact: bits[network == .testnet4 ? first : times.count - 1])
            target.multiply(
                by: min(max(times[times.count - 1] - times[first], 1_209_600 / 4), 1_209_600 * 4))
            target.divide(by: 1_209_600)
            return target.isAbove(limit) ? easiest : target.compact
        }
    }

    private static let version = Int32(0x2000_0000)

    @Test(arguments: Network.allCases)
    func asTheReferenceSays(network: Network) {
        var random = SeededRandom()
        var reference = Reference(network: network)
        var context = HeaderContext(HeaderRules(network))
        var targets: Set<UInt32> = []
        var pace = 600

        func fault(_ time: Int, bits: UInt32? = nil) -> HeaderFault.Reason? {
            context.fault(
                version: Self.version, time: UInt32(time), bits: bits ?? reference.required(time))
        }

        for height in 0..<(4 * reference.period + 20) {
            if height % reference.period == 0 { pace = [120, 300, 550, 900][height / reference.period % 4] }
            var time = 1_714_777_860
            var bits = reference.limit.compact
            if height > 0 {
                let last = reference.times[height - 1]
                switch Int.random(in: 0..<20, using: &random) {
                case 0: time = last + Int.random(in: 1201...5000, using: &random)
                case 1: time = last + 1200
                case 2: time = last + 1201
                case 3: time = reference.median + 1
                case 4: time = last - Int.random(in: 0...300, using: &random)
                default: time = last + Int.random(in: 0...2 * pace, using: &random)
                }
                time = max(time, reference.median + 1)
                let isFirst = height % reference.period == 0
                if isFirst, network == .testnet4 {
                    time = max(time, last - 600)
                    if last - 601 > reference.median { #expect(fault(last - 601) == .timewarp) }
                    if last - 600 > reference.median { #expect(fault(last - 600) == nil) }
                } else if last - 601 > reference.median {
                    #expect(fault(last - 601) == nil)
                }
                bits = reference.required(time)
                guard fault(time) == nil else {
                    Issue.record("height \(height): \(String(describing: fault(time)))")
                    return
                }
                #expect(fault(reference.median) == .tooEarly)
                #expect(fault(reference.median - 1) == .tooEarly)
                #expect(fault(reference.median + 1) == nil || isFirst && network == .testnet4)
                for other in [bits + 1, bits - 1, reference.limit.compact, reference.bits[height - 1]]
                where other != bits {
                    #expect(fault(time, bits: other) == .bits(found: other, required: bits))
                }
            }
            context.append(time: UInt32(time), bits: bits)
            reference.times.append(time)
            reference.bits.append(bits)
            targets.insert(bits)
        }
        // That the chain was worth the trouble: one target a period, and on testnet4 the easiest between them.
        #expect(network == .regtest ? targets.count == 1 : targets.count >= 4)
    }

    /// With the headers of a pinned start alone: the same targets and faults above it, over two retargets.
    @Test(arguments: Network.allCases, [1, 300, 2016])
    func fromAPinnedStart(network: Network, epoch: Int) {
        var random = SeededRandom()
        let period = HeaderRules(network).interval
        let heights = [0, 9, 11, period - 1, period, period + 1, period + 10, 2 * period - 2, 2 * period - 1]
            .map { ($0, Self.base($0, network, epoch)) }
        var full = HeaderContext(HeaderRules(network))
        var pinned = heights.map { HeaderContext(HeaderRules(network), at: $0.1 - 1) }
        var time: UInt32 = 1_714_777_860
        for height in 0..<(3 * period + 20) {
            // Behind the times of the eleven before, and more than twenty minutes ahead.
            let pace = height / period % 2 == 0 ? 400 : 900
            var step = Int.random(in: -200...2 * pace, using: &random)
            if Int.random(in: 0..<10, using: &random) == 0 { step += 1300 }
            let next = UInt32(Int(time) + (height == 0 ? 0 : step))
            let bits = height == 0 ? HeaderRules(network).limitBits : full.requiredBits(time: next)
            for (at, context) in zip(heights, pinned) where height > at.0 {
                // All about the pinned block and where periods begin, and some of the others.
                guard height - at.0 < 13 || (height + 1) % period < 13 || height % 97 == 0 else { continue }
                for other in [next, next - 700, next - 3600, next - 9000, next + 9000] {
                    let required = full.requiredBits(time: other)
                    let faults = [required, required - 1, bits].map { bits in
                        [full, context].map { $0.fault(version: Self.version, time: other, bits: bits) }
                    }
                    #expect(
                        context.requiredBits(time: other) == required
                            && faults.allSatisfy { $0[0] == $0[1] }, "at \(height), pinned at \(at.0)")
                }
            }
            full.append(time: next, bits: bits)
            for place in heights.indices where height >= heights[place].1 {
                pinned[place].append(time: next, bits: bits)
            }
            if Int(next) > Int(time) { time = next }
        }
        #expect(pinned.allSatisfy { $0.height == full.height })
    }

    private static func base(_ height: Int, _ network: Network, _ epoch: Int) -> Int {
        PinnedStart(
            BlockID(height: height, hash: .zero), work: 0, network, TreeParameters(shards: 1, epoch: epoch)
        ).base
    }

    /// The ten minutes of BIP 94, where the median would allow an earlier time: the period's last block is far ahead.
    @Test func theFirstOfAPeriodIsNotFarBeforeItsParent() {
        for network in [Network.testnet4, .main] {
            var context = HeaderContext(HeaderRules(network))
            for height in 0..<2016 {
                context.append(
                    time: 1_000_000 + UInt32(height) * 600 + (height == 2015 ? 7000 : 0), bits: 0x1d00_ffff)
            }
            let last = UInt32(1_000_000 + 2015 * 600 + 7000)
            for (time, isFine) in [(last - 600, true), (last - 601, network == .main)] {
                let fault = context.fault(
                    version: Self.version, time: time, bits: context.requiredBits(time: time))
                #expect(fault == (isFine ? nil : .timewarp))
            }
        }
    }

    /// The heights of BIPs 34, 66 and 65; a negative version is none of them.
    @Test func versionsGoOutOfUse() {
        let main = HeaderRules(.main)
        for (height, least) in [
            (1, 1), (227_930, 1), (227_931, 2), (363_724, 2), (363_725, 3), (388_380, 3), (388_381, 4),
        ] as [(Int, Int32)] {
            #expect(main.minVersion(at: height) == least)
        }
        for network in [Network.testnet4, .signet, .regtest] {
            #expect(HeaderRules(network).minVersion(at: 1) == 4)
        }
        var context = HeaderContext(HeaderRules(.testnet4))
        context.append(time: 1_000_000, bits: 0x1d00_ffff)
        for version in [3, 1, 0, -1, .min] as [Int32] {
            #expect(
                context.fault(version: version, time: 1_000_600, bits: 0x1d00_ffff) == .version(version))
        }
        #expect(context.fault(version: 4, time: 1_000_600, bits: 0x1d00_ffff) == nil)
    }
}
