import Foundation
import TestSupport
import Testing

@testable import Concord

/// What Bitcoin Core and BIPs 380 to 387 and 389 say of descriptors: Tests/Fixtures/descriptors.tsv, whose head tells its form.
@Suite struct DescriptorVectorTests {
    static let lines = Result {
        let path = "\(ChainFixture.repository)/Tests/Fixtures/descriptors.tsv"
        return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
            .filter { !$0.hasPrefix("#") }
            .map { $0.components(separatedBy: "\t") }
    }

    /// The fields behind the kind; not one kind is missing from the file.
    private func lines(_ kind: String) throws -> [[String]] {
        let lines = try Self.lines.get()
        let known = ["valid", "branches", "parses", "private", "hardened", "foreign", "invalid"]
        #expect(lines.allSatisfy { known.contains($0[0]) })
        let found = lines.filter { $0[0] == kind }.map { Array($0.dropFirst()) }
        try #require(!found.isEmpty)
        return found
    }

    @Test func valid() throws {
        for fields in try lines("valid") {
            let descriptor = try Descriptor(fields[0])
            #expect(descriptor.text == fields[0].prefix { $0 != "#" })
            #expect(descriptor.checksum == fields[2] && descriptor.isRanged == (fields[1] == "ranged"))
            #expect(descriptor.description == "\(descriptor.text)#\(fields[2])")
            #expect(try Descriptor(descriptor.description) == descriptor)
            let branches = fields[3].components(separatedBy: "|").map { branch in
                branch.components(separatedBy: ";").map { $0.components(separatedBy: ",") }
            }
            try #require(descriptor.branches.count == branches.count, "\(fields[0])")
            for (branch, indexes) in zip(descriptor.branches, branches) {
                for (index, scripts) in indexes.enumerated() {
                    #expect(try branch.scripts(at: UInt32(index)).map(\.hex) == scripts, "\(fields[0])")
                }
                if !descriptor.isRanged {
                    #expect(try branch.scripts(at: 7) == branch.scripts(at: 0))
                }
            }
            #expect(try descriptor.scripts(at: 0).map(\.hex) == branches.flatMap { $0[0] })
        }
    }

    @Test func branches() throws {
        for fields in try lines("branches") {
            let descriptor = try Descriptor(fields[0])
            #expect(descriptor.text == fields[0])
            #expect(descriptor.branches.map(\.text) == Array(fields.dropFirst()))
            #expect(descriptor.branches == (try fields.dropFirst().map { try Descriptor($0) }))
        }
    }

    @Test func parses() throws {
        for fields in try lines("parses") {
            #expect(try Descriptor(fields[0]).scripts(at: 0).isEmpty == false, "\(fields[0])")
        }
    }

    /// Never a part of it in what is said.
    @Test func privateKeys() throws {
        for fields in try lines("private") {
            let error = #expect(throws: DescriptorError.self) { try Descriptor(fields[0]) }
            #expect(error == .secret(.descriptor), "\(fields[0])")
            let said = error?.description ?? ""
            let pieces = fields[0].split { !$0.isLetter && !$0.isNumber }.filter { $0.count > 40 }
            #expect(!pieces.isEmpty && pieces.allSatisfy { !said.contains($0.prefix(8)) })
        }
    }

    @Test func hardened() throws {
        for fields in try lines("hardened") {
            let error = #expect(throws: DescriptorError.self) { try Descriptor(fields[0]) }
            guard case .key(.hardened, _) = error else {
                Issue.record("\(fields[0]): \(error.map { "\($0)" } ?? "")")
                continue
            }
        }
    }

    @Test func foreign() throws {
        for fields in try lines("foreign") {
            let error = #expect(throws: DescriptorError.self, "\(fields[0])") { try Descriptor(fields[0]) }
            switch error {
            case .function, .misplaced, .checksum: break
            default: Issue.record("\(fields[0]): \(error.map { "\($0)" } ?? "")")
            }
        }
    }

    @Test func invalid() throws {
        for fields in try lines("invalid") {
            #expect(throws: DescriptorError.self, "\(fields[0])") { try Descriptor(fields[0]) }
        }
    }
}
