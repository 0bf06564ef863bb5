import Foundation
import TestSupport
import Testing

@testable import Concord

/// `Tests/Conformance/agreement.txt`: the rule, played with authorities who answer what is asked.
@Suite struct ConformanceAgreementTests {
    struct Scenario: Sendable, CustomTestStringConvertible {
        var name = ""
        var minimum = 0
        var authorities: [(name: String, said: String)] = []
        var outcome = "", verdicts = ""
        var testDescription: String { name }
    }

    static let scenarios: [Scenario] = {
        let path = "\(ChainFixture.repository)/Tests/Conformance/agreement.txt"
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return text.components(separatedBy: "\n\n").filter { $0.contains(":") }.map { block in
            var scenario = Scenario()
            for line in block.split(separator: "\n") {
                let words = line.components(separatedBy: ": ")
                switch words[0] {
                case "scenario": scenario.name = words[1]
                case "minimum": scenario.minimum = Int(words[1]) ?? 0
                case "outcome": scenario.outcome = words[1]
                case "verdicts": scenario.verdicts = words[1]
                default: scenario.authorities.append((words[0], words[1]))
                }
            }
            return scenario
        }
    }()

    /// What one has signed, and stands on.
    private struct One {
        var signed: [Int: [Statement]] = [:]
        var newest: Int?
        var isStale = false
        var isInvalid = false
        var withdrawn: Int?

        init(_ text: String) throws {
            var words = text.split(separator: " ").map(String.init)
            if let from = words.firstIndex(of: "from") {
                withdrawn = Int(words[from + 1])
                words.removeSubrange(from...)
            }
            if words[0] == "stale" { isStale = true }
            if words[0] == "invalid" { isInvalid = true }
            if isStale || isInvalid { words.removeFirst() }
            guard words != ["-"] else { return }
            var lowest = Int.max
            for word in words {
                let height = try #require(Int(word.prefix { $0.isNumber }))
                let own = word.count { $0 == "'" }
                let letter = try #require(word.last)
                signed[height, default: []].append(Self.statement(height, own, letter))
                newest = newest ?? height
                lowest = min(lowest, height)
            }
            // Another branch is one block long.
            for height in 0..<lowest { signed[height] = [Self.statement(height, 0, "s")] }
        }

        static func statement(_ height: Int, _ branch: Int, _ letter: Character) -> Statement {
            Statement(
                network: .regtest, parameters: TreeParameters(shards: 16, epoch: 100), height: height,
                block: SHA256.hash("block \(height) of \(branch)"),
                parent: SHA256.hash("block \(height - 1) of 0"),
                coins: 1, amount: 0, muhash: SHA256.hash("\(letter)"), muhashes: .zero, patchRoot: .zero,
                deltas: [], history: [.zero], snapshotRoot: nil)
        }
    }

    @Test func thereAreMany() { #expect(Self.scenarios.count > 14) }

    @Test(arguments: scenarios) func everyScenario(scenario: Scenario) throws {
        let ones = try scenario.authorities.map { try One($0.said) }
        let rule = Agreement(minimum: scenario.minimum)
        var views = ones.map { one in
            var view = AuthorityView(withdrawn: one.withdrawn)
            view.absence = one.isInvalid ? .invalid : .unreachable
            view.isStale = one.isStale
            let newest = one.newest.flatMap { one.signed[$0] } ?? []
            for statement in newest { view.add(statement) }
            if let own = newest.first { view.stand(on: own) }
            return view
        }
        for _ in 0..<100 {
            switch rule.step(views) {
            case .ask(let questions):
                for question in questions {
                    views[question.authority].asked.insert(question.height)
                    let answer = ones[question.authority].signed[question.height] ?? []
                    for statement in answer { views[question.authority].add(statement) }
                    if let own = answer.first { views[question.authority].extend(chain: own.blockID) }
                }
            case .decided(let outcome):
                let end =
                    switch outcome.end {
                    case .agreed(let statement): "agreed \(statement.height)"
                    case .contradiction(let block): "contradiction \(block.height)"
                    case .none: "none"
                    }
                #expect(end == scenario.outcome)
                #expect(outcome.verdicts.map(\.rawValue).joined(separator: " ") == scenario.verdicts)
                return
            }
        }
        Issue.record("it does not end")
    }
}
