import Concord
import ConcordFiles
import ConcordTree
import Foundation
import Testing

@testable import ConcordPublish

/// What FORMAT.md says and only the publisher can know: the example's signature, the limits, the embedded copy.
@Suite struct FormatExampleSigningTests {
    /// Of a signature that is believed; one byte more is read.
    private let maxSignatureBytes = SignedAttestation.maxSignatureBytes - 1

    let document: String

    init() throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(
            path: "../../site-template/FORMAT.md")
        document = try String(contentsOf: path, encoding: .utf8)
    }

    private func block(_ name: String) throws -> String {
        let parts = document.components(separatedBy: "\n```example:\(name)\n")
        try #require(parts.count == 2)
        return try #require(parts[1].components(separatedBy: "```").first)
    }

    @Test func theExamplesSignatureIsMadeAgain() throws {
        let key = try SigningKeyTests.key(1)
        let text = try block("attestation.txt")
        #expect(try block("signature.hex") == key.sign(SHA256.hash(text)).hex + "\n")
        #expect(try block("authority.pem") == key.publicKey.pem)
    }

    @Test func theExamplesTrustnetIsOne() throws {
        let text = try block("trustnet.json")
        let signature = try SigningKeyTests.key(1).sign(SHA256.hash(text))
        #expect(try block("trustnet.hex") == signature.hex + "\n")
        let trustnet = try SignedTrustnet(checking: Array(text.utf8), signature: signature).trustnet
        #expect(trustnet.text == text)
        #expect(
            try trustnet.members.map(\.authority.key) == [2, 3].map { try SigningKeyTests.key($0).publicKey })
    }

    /// The number in the last column of each row of a section's first table; nil where there is none.
    private func lastColumn(_ heading: String) throws -> [Int?] {
        let parts = document.components(separatedBy: "\n## \(heading)\n")
        try #require(parts.count == 2)
        let rows = parts[1].components(separatedBy: "\n").drop { !$0.hasPrefix("|") }.prefix {
            $0.hasPrefix("|")
        }
        return rows.dropFirst(2).map { row in
            row.split(separator: "|").last.flatMap { Int($0.filter { ("0"..."9").contains($0) }) }
        }
    }

    @Test func theLimitsAreTheProgramsOwn() throws {
        let amount = try #require(Int(exactly: Amount.most))
        let limits = try lastColumn("Limits")
        #expect(
            limits == [
                TreeParameters.maxShards, TreeParameters.maxEpoch, TreePath.maxHeight,
                Attestation.maxBytes,
                maxSignatureBytes, 40, Attestation.maxTextBytes, AuthorityFile.maxBytes,
                Manifest.maxBytes(shards: 1), PatchIndex.entrySize, PatchIndex.maxSectionBytes,
                ScriptCompression.maxScriptBytes, amount, 1 << Int(ZstdDecompressor.windowLog),
                Trustnet.maxBytes, Trustnet.maxVersion, Trustnet.maxMembers, Trustnet.maxURLs,
                Trustnet.maxURLBytes,
            ])
        #expect(AuthorityName(String(repeating: "a", count: 40)) != nil)
        #expect(AuthorityName(String(repeating: "a", count: 41)) == nil)
    }

    @Test func theLayoutsSizesAreTheProgramsOwn() throws {
        let sizes = try lastColumn("Layout")
        let pem = try SigningKeyTests.key(1).publicKey.pem.utf8.count
        #expect(
            sizes == [
                128, AuthorityFile.maxBytes, pem, Attestation.maxBytes,
                maxSignatureBytes, 32, nil, nil,
                Manifest.maxBytes(shards: 1), nil, nil, nil, nil, BlockHeader.size, nil, nil,
            ])
    }

    @Test func thePublishedCopyIsThisDocument() {
        #expect(String(decoding: PackageResources.FORMAT_md, as: UTF8.self) == document)
    }

    @Test func thePublishedScriptIsTheOneBesideIt() throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(
            path: "../../site-template/audit.sh")
        #expect(PackageResources.audit_sh == [UInt8](try Data(contentsOf: path)))
    }
}
