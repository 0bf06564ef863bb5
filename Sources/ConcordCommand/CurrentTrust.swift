import Concord
import ConcordConsole
import ConcordFetch
import ConcordTransfers

extension Home {
    /// The authorities of one's trustnets, as they are now, and one's own. An empty list, a trustnet that may not be used,
    /// or authorities that cannot be compared end the command with what to do.
    func currentRoster(_ transfers: Transfers, now: Int64) throws -> Roster {
        let list = try trustList()
        var update = TrustnetUpdate(folder, transfers: transfers, now: now)
        try update.run(list.trustnets)
        let trustnets = try update.usable(list.trustnets, now: now)
        do {
            let roster = try Roster(trustnets: trustnets, own: list.members)
            guard !roster.entries.isEmpty else {
                throw CommandFailure(
                    .localFailure,
                    "no authorities are known in \(root): add some with «concord trust add NAME KEY URL», or use a "
                        + "trustnet with «concord trust use URL --key KEY»")
            }
            return roster
        } catch let error as RosterError {
            throw CommandFailure(.noAgreement, error.description)
        }
    }
}

extension TrustnetUpdate {
    /// The trustnets as they are held, none of them expired. Says what hosts did wrong, and ends the command where one may
    /// not be used.
    func usable(_ subscriptions: [TrustList.Subscription], now: Int64) throws -> [Trustnet] {
        for warning in warnings { ProgressLine().say("warning: \(warning)") }
        if let found = evidence.first {
            throw CommandFailure(
                .dissent,
                "the bootstrap key of the trustnet «\(found.name)» has signed two documents under one number, version "
                    + "\(found.version): whoever keeps it must explain that before anybody trusts it again. Nothing "
                    + "was installed. Both are in \(found.path)")
        }
        return try zip(histories, subscriptions).map { history, subscription in
            guard let trustnet = history.held?.trustnet else {
                throw CommandFailure(
                    .noValidBytes,
                    "no version of the trustnet with the bootstrap key \(subscription.key.hex) could be had from "
                        + subscription.urls.map(WebAddress.shown).joined(separator: ", ")
                        + ": is this the key, and the URL of its folder?")
            }
            guard !trustnet.isExpired(at: now) else {
                throw CommandFailure(
                    .noAgreement,
                    "version \(trustnet.version) of the trustnet «\(trustnet.name)» expired at "
                        + "\(Timestamp.text(trustnet.expires)) (this machine's clock says \(Timestamp.text(now))), and no "
                        + "newer one could be had from "
                        + subscription.urls.map(WebAddress.shown).joined(separator: ", ")
                        + ". Ask whoever keeps it, or leave it with «concord trust drop \(trustnet.name)»")
            }
            return trustnet
        }
    }
}
