import TestSupport
import Foundation
import Synchronization
import Testing

@testable import ConcordFiles

@Suite struct ParallelTests {
    struct Failure: Error, Equatable {
        var item: Int
    }

    @Test func resultsAreInOrder() throws {
        for count in [0, 1, 2, 3, 1000] {
            #expect(try Parallel.map(count) { $0 * $0 } == (0..<count).map { $0 * $0 })
        }
        // The later ones are done first.
        let slow = try Parallel.map(8) { item in
            if item % 2 == 0 { waitABit() }
            return item
        }
        #expect(slow == Array(0..<8))
    }

    @Test func everyItemIsWorkedOnOnce() throws {
        let counts = (0..<500).map { _ in Box() }
        _ = try Parallel.map(500) { counts[$0].add() }
        #expect(counts.allSatisfy { $0.value == 1 })
    }

    @Test func workersHaveToolsOfTheirOwn() throws {
        let made = Counter()
        struct Tools: ~Copyable {
            var used = 0
        }
        let uses = try Parallel.map(
            100,
            tools: {
                _ = made.next()
                return Tools()
            }
        ) { _, tools in
            tools.used += 1
            return tools.used
        }
        let workers = made.next() - 1
        #expect((1...Parallel.cores).contains(workers))
        // Each worker counted from 1 up.
        #expect(uses.filter { $0 == 1 }.count <= workers && uses.count == 100)
    }

    @Test func theFirstErrorEndsIt() {
        let begun = Box()
        #expect(throws: Failure(item: 3)) {
            try Parallel.map(3000) { item in
                begun.add()
                if item == 3 { throw Failure(item: 3) }
                // All of them would take half a minute on two cores.
                if item > 3 { usleep(20_000) }
            }
        }
        #expect(begun.value < 1000)
    }

    @Test func oneErrorIsReportedWhenAllFail() {
        let error = #expect(throws: Failure.self) { try Parallel.map(50) { throw Failure(item: $0) } }
        #expect((0..<Parallel.cores).contains(error?.item ?? -1))
    }

    final class Box: Sendable {
        private let count = Atomic(0)
        var value: Int { count.load(ordering: .relaxed) }
        func add() { count.wrappingAdd(1, ordering: .relaxed) }
    }
}

/// Long enough for another thread to come first.
private func waitABit() {
    var time = timespec(tv_sec: 0, tv_nsec: 2_000_000)
    nanosleep(&time, nil)
}
