import TestSupport
import Testing

@testable import Concord

/// What Bitcoin Core's `scantxoutset` gives as `desc`.
@Suite struct InferredDescriptorTests {
    static let tpub =
        "tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao8ESaAstxYSnhyswJ76uZPStJRJCTKvosUCJZL5B"
    static let a = "03a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd"
    static let b = "03669b8afcec803a0d323e9a17f3ea8e68e8abe5a278020a929adbec52421adbd0"

    /// Bitcoin Core's test/functional/rpc_scantxoutset.py.
    @Test func keysThatAreDerived() throws {
        let descriptor = try Descriptor("combo(\(Self.tpub)/1/1/*)")
        for (index, expected) in [
            (
                0,
                "pkh([0c5f9a1e/1/1/0]03e1c5b6e650966971d7e71ef2674f80222752740fc1dfd63bbbd220d2da9bd0fb)#cxmct4w8"
            ),
            (
                1,
                "pkh([0c5f9a1e/1/1/1]030d820fc9e8211c4169be8530efbc632775d8286167afd178caaf1089b77daba7)#z2t3ypsa"
            ),
            (
                1500,
                "pkh([0c5f9a1e/1/1/1500]03832901c250025da2aebae2bfb38d5c703a57ab66ad477f9c578bfbcd78abca6f)#vchwd07g"
            ),
        ] as [(UInt32, String)] {
            let inferred = try descriptor.inferred(at: index, on: .regtest)
            let scripts = try descriptor.scripts(at: index)
            #expect(inferred.count == 4 && inferred[1] == expected)
            // Each of them is a descriptor of its script.
            for (text, script) in zip(inferred, scripts) {
                #expect(try Descriptor(text).scripts(at: 0) == [script])
            }
        }
    }

    /// Bitcoin Core's descriptor_tests.cpp (CheckInferDescriptor), and the forms of `InferScript`.
    @Test(arguments: [
        (
            "41069228de6902abb4f541791f6d7f925b10e2078ccb1298856e5ea5cc5fd667f930eac37a00cc07f9a91ef3c2d17bf7a17db04552ff90ac312a5b8b4caca6c97aa4ac",
            "raw(41069228de6902abb4f541791f6d7f925b10e2078ccb1298856e5ea5cc5fd667f930eac37a00cc07f9a91ef3c2d17bf7a17db04552ff90ac312a5b8b4caca6c97aa4ac)"
        ),
        ("76a91445ff7c2327866472639d507334a9a00119dfd32688ac", "addr(17P7ge56F2QcdHxxRBa2NyzmejFggPwBJ9)"),
        ("001422e363a523947a110d9a9eb114820de183aca313", "addr(bc1qyt3k8ffrj3apzrv6n6c3fqsduxp6egcnk2r66j)"),
        (
            "4104032540df1d3c7070a8ab3a9cdd304dfc7fd1e6541369c53c4c3310b2537d91059afc8b8e7673eb812a32978dabb78c40f2e423f7757dca61d11838c7aeeb5220ac",
            "pk(04032540df1d3c7070a8ab3a9cdd304dfc7fd1e6541369c53c4c3310b2537d91059afc8b8e7673eb812a32978dabb78c40f2e423f7757dca61d11838c7aeeb5220)"
        ),
        ("21\(a)ac", "pk(\(a))"), ("5121\(a)21\(b)52ae", "multi(1,\(a),\(b))"),
        ("5120\(a.dropFirst(2))", "rawtr(\(a.dropFirst(2)))"),
        // No point has this x: an address all the same.
        (
            "5120" + String(repeating: "ff", count: 32),
            "addr(bc1plllllllllllllllllllllllllllllllllllllllllllllllllllsr7rg6v)"
        ),
        ("51024e73", "addr(bc1pfeessrawgf)"),
        ("a914" + String(repeating: "ee", count: 20) + "87", "addr(3PUNyaW7M55oKWJ3kDukwk9bsKvryra15j)"),
        ("", "raw()"), ("51", "raw(51)"), ("0003010203", "raw(0003010203)"),
    ])
    func scriptsAlone(script: String, text: String) throws {
        #expect(InferredDescriptor.text(of: hex(script), on: .main) == text)
        let raw = try Descriptor("raw(\(script))")
        #expect(try raw.inferred(at: 0, on: .main) == [Descriptor.withChecksum(text)])
    }

    /// Keys that stand alone are their own origin; sorted ones are in the order of the script, and the leaves of a tree in the
    /// order of theirs (`InferTaprootTree`).
    @Test func expressions() throws {
        let (x, y) = (Self.a.dropFirst(2), Self.b.dropFirst(2))
        let (fa, fb) = ("[9a1c78a5]", "[\(fingerprint(Self.b))]")
        for (typed, inferred) in [
            ("pkh(\(Self.a))", "pkh(\(fa)\(Self.a))"),
            ("pkh([deadbeef/1'/2]\(Self.a))", "pkh([deadbeef/1h/2]\(Self.a))"),
            (
                "sh(wsh(sortedmulti(1,\(Self.a),\(Self.b))))",
                "sh(wsh(multi(1,\(fb)\(Self.b),\(fa)\(Self.a))))"
            ),
            ("multi(1,\(Self.a),\(Self.b))", "multi(1,\(fa)\(Self.a),\(fb)\(Self.b))"),
            ("tr(\(Self.a))", "tr(\(fa)\(x))"), ("rawtr(\(Self.a))", "rawtr(\(fa)\(x))"),
            (
                "tr(\(Self.a),{pk(\(Self.a)),{pk(\(Self.b)),sortedmulti_a(2,\(Self.a),\(Self.b))}})",
                "tr(\(fa)\(x),{{pk(\(fb)\(y)),multi_a(2,\(fb)\(y),\(fa)\(x))},pk(\(fa)\(x))})"
            ),
        ] {
            #expect(try Descriptor(typed).inferred(at: 3, on: .main) == [Descriptor.withChecksum(inferred)])
            #expect(try Descriptor(inferred).scripts(at: 0) == Descriptor(typed).scripts(at: 0))
        }
    }

    private func fingerprint(_ key: String) -> String { KeyScripts.hash160(hex(key)).prefix(4).hex }
}
