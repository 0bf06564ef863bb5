// The coins of addresses, agreed on by the authorities of a home folder. For example:
//
//     concord trust add alice 02… https://alice.example
//     concord trust add bob 03… https://bob.example
//     client-example ~/.concord bc1q…
import Concord
import ConcordClient
import Foundation

guard CommandLine.arguments.count > 2 else {
    print("usage: client-example HOME ADDRESS…")
    exit(2)
}

let client = try Client(home: CommandLine.arguments[1], clock: { Int64(Date().timeIntervalSince1970) }) {
    event in
    if case .fetching(.files(let done, let all, _)) = event, done == all { print("fetched \(all) files") }
}

// Whether all authorities agree, and whether the chain with most work says so too.
let session = try client.agree()
guard session.obstacle == nil, let agreed = session.agreed else {
    for (one, verdict) in zip(session.report.heard, session.report.outcome.verdicts) {
        print("\(one.authority.name): \(verdict.rawValue)")
    }
    exit(3)
}
print("agreed at height \(agreed.height), block \(agreed.block.reversedHex)")

// Only the shards that these addresses fall into.
let addresses = CommandLine.arguments.dropFirst(2)
let scripts = try addresses.map { try Address($0, on: agreed.network).script }
_ = try client.install(session, .of(scripts))

for (address, coins) in zip(addresses, try client.coins(of: scripts)) {
    print("\(address): \(coins.count) coins, \(coins.reduce(0) { $0 + $1.amount }) satoshi")
}
try client.close()
