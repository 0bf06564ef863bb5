import TestSupport
import Testing

@testable import Concord

@Suite struct ExtendedPublicKeyTests {
    /// BIP 32, the test vectors' steps that are not hardened: parent, number, child.
    @Test(arguments: [
        (
            "xpub68Gmy5EdvgibQVfPdqkBBCHxA5htiqg55crXYuXoQRKfDBFA1WEjWgP6LHhwBZeNK1VTsfTFUHCdrfp1bgwQ9xv5ski8PX9rL2dZXvgGDnw",
            1,
            "xpub6ASuArnXKPbfEwhqN6e3mwBcDTgzisQN1wXN9BJcM47sSikHjJf3UFHKkNAWbWMiGj7Wf5uMash7SyYq527Hqck2AxYysAA7xmALppuCkwQ"
        ),
        (
            "xpub6D4BDPcP2GT577Vvch3R8wDkScZWzQzMMUm3PWbmWvVJrZwQY4VUNgqFJPMM3No2dFDFGTsxxpG5uJh7n7epu4trkrX7x7DogT5Uv6fcLW5",
            2,
            "xpub6FHa3pjLCk84BayeJxFW2SP4XRrFd1JYnxeLeU8EqN3vDfZmbqBqaGJAyiLjTAwm6ZLRQUMv1ZACTj37sR62cfN7fe5JnJ7dh8zL4fiyLHV"
        ),
        (
            "xpub6FHa3pjLCk84BayeJxFW2SP4XRrFd1JYnxeLeU8EqN3vDfZmbqBqaGJAyiLjTAwm6ZLRQUMv1ZACTj37sR62cfN7fe5JnJ7dh8zL4fiyLHV",
            1_000_000_000,
            "xpub6H1LXWLaKsWFhvm6RVpEL9P4KfRZSW7abD2ttkWP3SSQvnyA8FSVqNTEcYFgJS2UaFcxupHiYkro49S8yGasTvXEYBVPamhGW6cFJodrTHy"
        ),
        (
            "xpub661MyMwAqRbcFW31YEwpkMuc5THy2PSt5bDMsktWQcFF8syAmRUapSCGu8ED9W6oDMSgv6Zz8idoc4a6mr8BDzTJY47LJhkJ8UB7WEGuduB",
            0,
            "xpub69H7F5d8KSRgmmdJg2KhpAK8SR3DjMwAdkxj3ZuxV27CprR9LgpeyGmXUbC6wb7ERfvrnKZjXoUmmDznezpbZb7ap6r1D3tgFxHmwMkQTPH"
        ),
        (
            "xpub6ASAVgeehLbnwdqV6UKMHVzgqAG8Gr6riv3Fxxpj8ksbH9ebxaEyBLZ85ySDhKiLDBrQSARLq1uNRts8RuJiHjaDMBU4Zn9h8LZNnBC5y4a",
            1,
            "xpub6DF8uhdarytz3FWdA8TvFSvvAh8dP3283MY7p2V4SeE2wyWmG5mg5EwVvmdMVCQcoNJxGoWaU9DCWh89LojfZ537wTfunKau47EL2dhHKon"
        ),
        (
            "xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL",
            2,
            "xpub6FnCn6nSzZAw5Tw7cgR9bi15UV96gLZhjDstkXXxvCLsUXBGXPdSnLFbdpq8p9HmGsApME5hQTZ3emM2rnY5agb9rXpVGyy3bdW6EEgAtqt"
        ),
    ])
    func childrenOfBIP32(parent: String, number: UInt32, child: String) throws {
        let key = try ExtendedPublicKey(parent)
        #expect(key.text == parent && key.networks == [.main] && key.kind == .any)
        let derived = try #require(key.child(number))
        #expect(derived.text == child)
        #expect(derived.depth == key.depth + 1 && derived.parentFingerprint == key.fingerprint)
        #expect(ChildKeys(key).key(number) == derived.key)
    }

    /// BIP 32, test vectors 3 and 4: leading zeros stay.
    @Test(arguments: [
        "xpub661MyMwAqRbcEZVB4dScxMAdx6d4nFc9nvyvH3v4gJL378CSRZiYmhRoP7mBy6gSPSCYk6SzXPTf3ND1cZAceL7SfJ1Z3GC8vBgp2epUt13",
        "xpub68NZiKmJWnxxS6aaHmn81bvJeTESw724CRDs6HbuccFQN9Ku14VQrADWgqbhhTHBaohPX4CjNLf9fq9MYo6oDaPPLPxSb7gwQN3ih19Zm4Y",
        "xpub661MyMwAqRbcGczjuMoRm6dXaLDEhW1u34gKenbeYqAix21mdUKJyuyu5F1rzYGVxyL6tmgBUAEPrEz92mBXjByMRiJdba9wpnN37RLLAXa",
        "xpub69AUMk3qDBi3uW1sXgjCmVjJ2G6WQoYSnNHyzkmdCHEhSZ4tBok37xfFEqHd2AddP56Tqp4o56AePAgCjYdvpW2PU2jbUPFKsav5ut6Ch1m",
        "xpub6BJA1jSqiukeaesWfxe6sNK9CCGaujFFSJLomWHprUL9DePQ4JDkM5d88n49sMGJxrhpjazuXYWdMf17C9T5XnxkopaeS7jGk1GyyVziaMt",
        "tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao8ESaAstxYSnhyswJ76uZPStJRJCTKvosUCJZL5B",
    ])
    func keysRoundTrip(text: String) throws {
        #expect(try ExtendedPublicKey(text).text == text)
    }

    /// BIP 32, test vector 5, and others.
    @Test(
        arguments: [
            // A private key behind the version of a public one, and prefixes 04 and 01.
            (
                "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6LBpB85b3D2yc8sfvZU521AAwdZafEz7mnzBBsz4wKY5fTtTQBm",
                .point
            ),
            (
                "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6Txnt3siSujt9RCVYsx4qHZGc62TG4McvMGcAUjeuwZdduYEvFn",
                .point
            ),
            (
                "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6N8ZMMXctdiCjxTNq964yKkwrkBJJwpzZS4HS2fxvyYUA4q2Xe4",
                .point
            ),
            // No point has this x.
            (
                "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6Q5JXayek4PRsn35jii4veMimro1xefsM58PgBMrvdYre8QyULY",
                .point
            ),
            (
                "xpub661no6RGEX3uJkY4bNnPcw4URcQTrSibUZ4NqJEw5eBkv7ovTwgiT91XX27VbEXGENhYRCf7hyEbWrR3FewATdCEebj6znwMfQkhRYHRLpJ",
                .root
            ),
            (
                "xpub661MyMwAuDcm6CRQ5N4qiHKrJ39Xe1R1NyfouMKTTWcguwVcfrZJaNvhpebzGerh7gucBvzEQWRugZDuDXjNDRmXzSZe4c7mnTK97pTvGS8",
                .root
            ),
            (
                "DMwo58pR1QLEFihHiXPVykYB6fJmsTeHvyTp7hRThAtCX8CvYzgPcn8XnmdfHGMQzT7ayAmfo4z3gY5KfbrZWZ6St24UVf2Qgo6oujFktLHdHY4",
                .version(0)
            ),
            (
                "DMwo58pR1QLEFihHiXPVykYB6fJmsTeHvyTp7hRThAtCX8CvYzgPcn8XnmdfHPmHJiEDXkTiJTVV9rHEBUem2mwVbbNfvT2MTcAqj3nesx8uBf9",
                .version(0)
            ),
            (
                "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHL",
                .mistyped
            ),
            (
                "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi",
                .privateKey
            ),
            // BIP 84's root, and that of BIP 49's account.
            (
                "zprvAWgYBBk7JR8Gjrh4UJQ2uJdG1r3WNRRfURiABBE3RvMXYSrRJL62XuezvGdPvG6GFBZduosCc1YP5wixPox7zhZLfiUm8aunE96BBa4Kei5",
                .privateKey
            ),
            (
                "uprv91G7gZkzehuMVxDJTYE6tLivdF8e4rvzSu1LFfKw3b2Qx1Aj8vpoFnHdfUZ3hmi9jsvPifmZ24RTN2KhwB8BfMLTVqaBReibyaFFcTP1s9n",
                .privateKey
            ),
            ("", .mistyped), ("xpub", .mistyped),
            ("5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ", .length(33)),
        ] as [(String, ExtendedKeyError)])
    func invalidKeys(text: String, error: ExtendedKeyError) {
        let thrown = #expect(throws: ExtendedKeyError.self) { try ExtendedPublicKey(text) }
        if case .version = error {
            guard case .version = thrown else {
                Issue.record("\(text) \(thrown.map { "\($0)" } ?? "")")
                return
            }
        } else {
            #expect(thrown == error, "\(text)")
        }
    }

    /// SLIP 132's versions, over the key of BIP 32's test vector 1.
    @Test func letters() throws {
        let root = try ExtendedPublicKey(
            "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8"
        )
        func text(_ version: String) throws -> String {
            Base58.encode(hex(version) + (try Base58.decode(root.text)).dropFirst(4))
        }
        let kinds: [(String, String, ExtendedPublicKey.Kind)] = [
            ("049d7cb2", "ypub", .nested), ("04b24746", "zpub", .witness), ("043587cf", "tpub", .any),
            ("044a5262", "upub", .nested), ("045f1cf6", "vpub", .witness),
        ]
        for (version, letters, kind) in kinds {
            let text = try text(version)
            let key = try ExtendedPublicKey(text)
            #expect(text.hasPrefix(letters) && key.kind == kind && key.key == root.key)
            #expect(key.isMain == "yz".contains(letters.prefix(1)))
            #expect(key.text.hasPrefix(key.isMain ? "xpub" : "tpub"))
            #expect(key.networks == (key.isMain ? [.main] : [.testnet4, .signet, .regtest]))
        }
        for (version, letters) in [
            ("0295b43f", "Ypub"), ("02aa7ed3", "Zpub"), ("024289ef", "Upub"), ("02575483", "Vpub"),
        ] {
            let text = try text(version)
            #expect(text.hasPrefix(letters))
            #expect(throws: ExtendedKeyError.multisig) { try ExtendedPublicKey(text) }
        }
        for (version, letters) in [
            ("0488ade4", "xprv"), ("049d7878", "yprv"), ("04b2430c", "zprv"), ("04358394", "tprv"),
            ("044a4e28", "uprv"), ("045f18bc", "vprv"), ("0295b005", "Yprv"), ("02aa7a99", "Zprv"),
            ("024285b5", "Uprv"), ("02575048", "Vprv"),
        ] {
            let text = try text(version)
            #expect(text.hasPrefix(letters))
            #expect(throws: ExtendedKeyError.privateKey) { try ExtendedPublicKey(text) }
        }
    }

    /// A public key has none that are hardened, and nothing is deeper than 255.
    @Test func childrenThatAreNotThere() throws {
        var key = try ExtendedPublicKey(
            "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8"
        )
        #expect(key.child(1 << 31) == nil && key.child(UInt32.max) == nil)
        #expect(key.child(1 << 31 - 1) != nil)
        for _ in 0..<255 { key = try #require(key.child(0)) }
        #expect(key.depth == 255 && key.child(0) == nil)
    }
}
