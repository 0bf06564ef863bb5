import Testing

@testable import ConcordFiles

@Suite struct CounterTests {
    @Test func countsFromOneOnAnyThread() throws {
        let counter = Counter()
        let numbers = try Parallel.map(1000) { _ in counter.next() }
        #expect(numbers.sorted() == Array(1...1000))
    }
}
