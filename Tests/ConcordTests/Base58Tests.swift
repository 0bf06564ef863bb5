import Testing

@testable import Concord

@Suite struct Base58Tests {
    @Test(arguments: [
        ("1111111111111111111114oLvT2", "000000000000000000000000000000000000000000"),
        ("1FsSia9rv4NeEwvJ2GvXrX7LyxYspbN2mo", "00a31c06bd463e3923bc1aadbde48b16976c080717"),
        ("36j4NfKv6Akva9amjWrLG6MuSQym1GuEmm", "05373b819a068f32b7a6b38b6b38729647cfde01c2"),
        ("2NC2hEhe28ULKAJkW5MjZ3jtTMJdvXmByvK", "c4ce0bba75891ff9ec60148d4bd4a09ee2dc5c9331"),
        (
            "5JuW2AMDYu4xVwRG9DZW18VbzQrGcd5RCgb99sS6ehJsNQXu5b9",
            "808f8943bf956de595665c38ffff23827e17c10cdc1c27a028caae6c9810626198"
        ),
    ])
    func payloadsRoundTrip(text: String, hex: String) throws {
        #expect(try Base58.decode(text).hex == hex)
        #expect(Base58.encode(try #require([UInt8](hex: hex))) == text)
    }

    @Test func randomPayloadsRoundTrip() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var state = seed
        for _ in 0..<500 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let zeros = [UInt8](repeating: 0, count: Int(state >> 60))
            let rest = SHA256.hash("\(state)").bytes.prefix(1 + Int(state >> 40 & 31))
            #expect(try Base58.decode(Base58.encode(zeros + rest)) == zeros + rest, "seed \(seed)")
        }
    }

    @Test(
        arguments: [
            ("", .tooShort), ("x", .tooShort), ("1111", .tooShort),
            ("1FsSia9rv4NeEwvJ2GvXrX7LyxYspbN2mO", .character("O", at: 33)),
            ("1FsSia9rv4NeEwvJ2GvXrX7LyxYspbN2m0", .character("0", at: 33)),
            ("1IsSia9rv4NeEwvJ2GvXrX7LyxYspbN2mo", .character("I", at: 1)),
            ("1lsSia9rv4NeEwvJ2GvXrX7LyxYspbN2mo", .character("l", at: 1)),
            (" 1FsSia9rv4NeEwvJ2GvXrX7LyxYspbN2mo", .character(" ", at: 0)),
            ("1FsSia9rv4NeEwvJ2GvXrX7LyxYspbN2mo\n", .character("\n", at: 34)),
            ("1Fßia", .character("ß", at: 2)), ("1F👍🏽ia", .character("👍🏽", at: 2)),
            // A changed, a missing and an added character, two exchanged, and a 1 more and less.
            ("1FsSia9rv4NeEwvJ2GvXrX7LyxYspbN2mp", .checksum),
            ("1FsSia9rv4NeEwvJ2GvXrX7LyxYspbN2m", .checksum),
            ("1FsSia9rv4NeEwvJ2GvXrX7LyxYspbN2moo", .checksum),
            ("1FsSia9rv4NeEwvJ2GvXrX7LyxYspb2Nmo", .checksum),
            ("11FsSia9rv4NeEwvJ2GvXrX7LyxYspbN2mo", .checksum),
            ("FsSia9rv4NeEwvJ2GvXrX7LyxYspbN2mo", .checksum),
            (String(repeating: "1", count: 129), .tooLong(129)),
        ] as [(String, AddressError)])
    func everythingElseIsRefused(text: String, error: AddressError) {
        #expect(throws: error) { try Base58.decode(text) }
    }
}
