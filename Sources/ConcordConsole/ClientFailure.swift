import Concord
import ConcordClient
import ConcordTransfers

/// How a command ends where the client's library could not do what was asked, and what to say.
extension CommandFailure {
    /// Nil for an error that is not of the library.
    public init?(ofClient error: any Error) {
        switch error {
        case let error as ClientError: self.init(error)
        case let error as IncompatibleTrees: self.init(.noAgreement, error.description)
        case let error as NotThere: self.init(.noValidBytes, error.description)
        case let fault as Fault: self.init(.noValidBytes, fault.description)
        case let failure as Failure: self.init(.localFailure, failure.description)
        case let refusal as TreeMirror.Refusal: self.init(.noValidBytes, refusal.description)
        case let refusal as TrustList.Refusal:
            if case .damaged = refusal {
                self.init(.localFailure, refusal.description)
            } else {
                self.init(.usage, refusal.description)
            }
        case let error as SetFetch.Contradicted:
            self.init(
                .dissent,
                "authorities contradict what they or others said before of the block \(error.block): "
                    + "`concord check --height \(error.block.height)` shows what they signed")
        case is CancellationError: self.init(.localFailure, "stopped")
        case let damage as SetDamage: self.init(.localFailure, damage.words)
        case let error as WalletError: self.init(.localFailure, error.words)
        case let error as SetExport.Mismatch: self.init(.dissent, error.words)
        case let error as StateContradiction: self.init(.dissent, error.words)
        default: return nil
        }
    }

    private init(_ error: ClientError) {
        switch error {
        case .noAuthorities(let home):
            self.init(
                .localFailure,
                "no authorities are known in \(home): add some with `concord trust add NAME KEY URL`, or use a trustnet "
                    + "with `concord trust use URL --key KEY`")
        case .roster(let error): self.init(.noAgreement, error.description)
        case .minimum(let error): self.init(.usage, error.description)
        case .trustnetEquivocates(let found):
            self.init(
                .dissent,
                "the bootstrap key of the trustnet `\(found.name)` has signed two documents under one number, version "
                    + "\(found.version): whoever keeps it must explain that before anybody trusts it again. Nothing "
                    + "was installed. Both are in \(found.path)")
        case .trustnetMissing(let key, let urls):
            self.init(
                .noValidBytes,
                "no version of the trustnet with the bootstrap key \(key.hex) could be had from "
                    + "\(urls.joined(separator: ", ")): is this the key, and the URL of its folder?")
        case .trustnetExpired(let trustnet, let places, let now):
            self.init(
                .noAgreement,
                "version \(trustnet.version) of the trustnet `\(trustnet.name)` expired at "
                    + "\(Timestamp.text(trustnet.expires)) (this machine's clock says \(Timestamp.text(now))), and no newer one could "
                    + "be had from "
                    + "\(places.joined(separator: ", ")). Ask whoever keeps it, or leave it with `concord trust drop \(trustnet.name)`"
            )
        case .nothingInstalled:
            self.init(.localFailure, "nothing was fetched yet: run `concord fetch` first")
        case .severalInstalled(let networks):
            self.init(
                .usage,
                "sets of several networks are here (\(networks.map(\.rawValue).joined(separator: ", "))): choose one with "
                    + "--network")
        case .shardsMissing(let shards):
            self.init(
                .localFailure,
                "shards \(shards.map(String.init).joined(separator: ", ")) were not fetched: `concord fetch --shards`"
            )
        case .shardsGone(let count):
            self.init(
                .localFailure,
                "the last fetch was for shards that are not there any more, the trees have \(count): choose with "
                    + "--shards, `all` or numbers")
        case .contradicted(let block):
            self.init(.dissent, "authorities contradict each other about block \(block)")
        case .notAgreed: self.init(.noAgreement, "there is no agreement")
        }
    }
}

extension SetExport.Mismatch {
    fileprivate var words: String {
        """
        this is not the set that Bitcoin Core pins at height \(pin.height) of \(pin.network.rawValue), although the \
        authorities agree on it. Nothing was written
          here: block \(statement.block.reversedHex), hash_serialized_3 \(hash.reversedHex)
          Core: block \(pin.block), hash_serialized_3 \(pin.hash)
        """
    }
}

extension StateContradiction {
    fileprivate var words: String {
        let (height, block) = (statement.height, statement.block.reversedHex)
        let what =
            switch kind {
            case .snapshot(let shard):
                "what was held and the patches and deltas since do not come to shard \(TreePath.shardDigits(shard)) of the "
                    + "snapshot of height \(height), block \(block)"
            case .shard(let shard):
                "at height \(height), block \(block), shard \(TreePath.shardDigits(shard)) has another MuHash than they "
                    + "agree on"
            case .whole:
                "at height \(height), block \(block), the MuHashes of the shards are right and do not come to the MuHash of "
                    + "the set that they agree on"
            case .sections(let error): "on the way to height \(height), block \(block), a section \(error)"
            case .changes(let error): "on the way to height \(height), block \(block), \(error)"
            }
        return
            "what the authorities agree on contradicts itself: every file was the one that they sign, but \(what). Nothing was "
            + "installed. Tell them; `concord-publish` or `concord audit` beside a node shows who is right"
    }
}

extension SetDamage {
    fileprivate var words: String {
        let path = path.printable
        return switch kind {
        case .pointer: "\(path): is damaged. Run `concord fetch` again"
        case .wantedShards:
            "\(path): is damaged. Run `concord fetch --shards all`, or with the numbers of those that you want"
        case .otherFormat:
            "\(path): was fetched before the format had deltas. Run `concord fetch`, which begins anew"
        case .bases: "\(path): is damaged or gone. Run `concord fetch` again"
        case .missingStatement(let height):
            "\(path): the statement of height \(height) is missing. Run `concord fetch` again"
        case .brokenStatements(let height):
            "\(path): the statement of height \(height) does not follow from the one before. Run `concord fetch` again"
        case .file(let error):
            "\(error). " + (error.isMissing ? "Run" : "Remove this file and run")
                + " `concord fetch`, which brings it again"
        case .signed(let error, let authorities):
            "\(path): \(error). The file is what was signed, so what was signed is wrong: tell "
                + authorities.joined(separator: ", ")
        }
    }
}
