// The coins of a wallet, agreed on by the authorities of a home folder. For example:
//
//     concord trust add alice 02… https://alice.example
//     concord trust add bob 03… https://bob.example
//     client-example ~/.concord 'wpkh([d34db33f/84h/0h/0h]xpub…/<0;1>/*)'
import Concord
import ConcordClient
import Foundation

guard CommandLine.arguments.count > 2 else {
    print("usage: client-example HOME DESCRIPTOR|ADDRESS…")
    exit(2)
}

let client = try Client(home: CommandLine.arguments[1], clock: { Int64(Date().timeIntervalSince1970) })

// Whether all authorities agree, and whether the chain with most work says so too.
let session = try client.agree()
guard session.obstacle == nil, let agreed = session.agreed else {
    for (one, verdict) in zip(session.report.heard, session.report.outcome.verdicts) {
        print("\(one.authority.name): \(verdict.rawValue)")
    }
    exit(3)
}
print("agreed at height \(agreed.height), block \(agreed.block.reversedHex)")

// Only what the wallet needs comes: filters, shards with coins of it, and what has changed since.
let descriptors = try CommandLine.arguments.dropFirst(2).map { text in
    text.contains("(") ? try Descriptor(text) : Descriptor(try Address(text, on: agreed.network))
}
try? client.wallets.remove("example")
try client.wallets.add(
    Wallet("example", on: agreed.network, descriptors.map { Wallet.Account($0) }))
let result = try client.install(session)
print("\(result.bytes) bytes came, \(result.held?.count ?? agreed.parameters.shards) shards are here")

let scripts = try client.wallets.wallet("example").scripts().map(\.script)
for (script, coins) in zip(scripts, try client.coins(of: scripts)) where !coins.isEmpty {
    let owner = Address.text(for: script, on: agreed.network) ?? script.hex
    print("\(owner): \(coins.count) coins, \(coins.reduce(0) { $0 + $1.amount }) satoshi")
}
try client.close()
