import Concord
import ConcordTransfers
import TestSupport
import Testing

@testable import ConcordClient

/// One tree at one host, asked one question after the other.
@Suite struct RemoteTreeTests {
    private func tree(_ site: ScriptedSite) -> RemoteTree {
        let transport = ScriptedTransport()
        transport.add(site, at: "http://a")
        return RemoteTree("http://a", reader: TreeReader(transport))
    }

    @Test func whatATreeSays() throws {
        let made = try MadeTree.alice.get()
        let (remote, key) = (tree(made.site), made.key.publicKey)
        let parameters = MadeTree.parameters
        let hint = try remote.hint(of: key)
        #expect(hint.authority.key == key && hint.latest == made.latest)
        let newest = try remote.attestation(of: hint.latest, parameters: parameters, key: key)
        #expect(newest.statement.blockID == hint.latest)
        let headers = try remote.headers(leadingTo: hint.latest, parameters: parameters)
        #expect(headers.block(at: hint.latest.height) == hint.latest)
        let start = try #require(headers.block(at: parameters.epochStart(of: hint.latest.height)))
        let first = try remote.attestation(of: start, parameters: parameters, key: key).statement
        let root = try #require(first.snapshotRoot)
        #expect(try remote.manifest(of: start, parameters: parameters, root: root).root == root)
        #expect(try remote.hasManifest(of: start, parameters: parameters))
    }

    @Test func whatIsNotWhatWasAskedFor() throws {
        let made = try MadeTree.alice.get()
        let other = try MadeTree.bob.get().key.publicKey
        let parameters = MadeTree.parameters
        let latest = try #require(made.latest)
        func kind(_ body: (RemoteTree) throws -> Void) -> Fault.Kind? {
            do { try body(tree(made.site)) } catch { return (error as? Fault)?.kind }
            return nil
        }
        #expect(kind { _ = try $0.hint(of: other) } == .otherKey(made.key.publicKey, wanted: other))
        #expect(
            kind { _ = try $0.attestation(of: latest, parameters: parameters, key: other) }
                == .notSigned(.otherKey(made.key.publicKey)))
        let nowhere = BlockID(height: latest.height, hash: .zero)
        #expect(
            kind { _ = try $0.headers(leadingTo: nowhere, parameters: parameters) }
                == .leadsElsewhere(nowhere))
        #expect(kind { _ = try $0.manifest(of: nowhere, parameters: parameters, root: .zero) } == .absent)
        #expect(try !tree(made.site).hasManifest(of: nowhere, parameters: parameters))
        #expect(throws: Fault.self) {
            try tree(.refusing).hasManifest(of: nowhere, parameters: parameters)
        }
    }
}
