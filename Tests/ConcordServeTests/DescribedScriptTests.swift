import Concord
import TestSupport
import Testing

@testable import ConcordServe

/// What a scan looks for: the scripts of descriptors, and what Bitcoin Core says of each.
@Suite struct DescribedScriptTests {
    private func described(
        _ text: String, range: ClosedRange<Int> = 0...0, on network: Network = .main, most: Int = 1000
    ) throws -> [DescribedScript] {
        try DescribedScript.scripts(of: text, range: range, on: network, most: most)
    }

    private static let key =
        "xpub6ASuArnXKPbfEwhqN6e3mwBcDTgzisQN1wXN9BJcM47sSikHjJf3UFHKkNAWbWMiGj7Wf5uMash7SyYq527Hqck2AxYysAA7xmALppuCkwQ"

    @Test func scriptsAndWhatTheyAreCalled() throws {
        let one = try described("addr(12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S)")
        #expect(one.map(\.script.hex) == ["76a91411b366edfc0a8b66feebae5c2e25a7b6a5d1cf3188ac"])
        #expect(
            try one.map(\.descriptor) == [Descriptor("addr(12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S)").description])
        #expect(try described("raw(deadbeef)#89f8spxm").map(\.script) == [[0xde, 0xad, 0xbe, 0xef]])
    }

    @Test func ranges() throws {
        let text = "wpkh(\(Self.key)/<0;1>/*)"
        let some = try described(text, range: 3...7)
        #expect(some.count == 10 && Set(some.map(\.script)).count == 10)
        #expect(try some[0].script == Descriptor(text).branches[0].scripts(at: 3)[0])
        #expect(some[0].descriptor.hasPrefix("wpkh([") && !some[0].descriptor.contains("xpub"))
        // No more are made than show that they are too many.
        #expect(try described(text, range: 0...999_999, most: 100).count == 102)
        #expect(try described("raw(51)", range: 5...900).count == 1)
    }

    @Test(arguments: [
        "", "()", "raw(", "RAW(51)", "raw(51))", "pk()", "raw(deadbeef)#89f8spxx",
        // Of another network.
        "addr(2N7VM3rmYDSRXzZmCLwXDYLp4w1WjLcLdUn)",
        // The private key 1.
        "pk(KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn)",
    ])
    func whatIsNone(text: String) {
        let error = #expect(throws: RPCError.self) { try described(text) }
        #expect(error?.code == .invalidAddressOrKey && error.map { !"\($0)".contains("KwDi") } ?? false)
    }
}
