/// Why a text is not a descriptor that can be used here. It never holds the text, which may be a secret; places are counted
/// in characters from 0.
public enum DescriptorError: Error, Equatable, Sendable {
    /// What is wrong with a key.
    public enum KeyFault: Equatable, Sendable {
        /// Nothing where a key should be.
        case missing
        /// Square brackets that hold no fingerprint of 8 hex digits, or are not closed, or are not in front of the key.
        case origin
        /// Hex that is no point of the curve, or has another length than keys there.
        case noPoint
        /// A point in OpenSSL's hybrid form.
        case hybrid
        /// A point of 65 bytes in a witness script.
        case uncompressed
        /// Steps after a key that is no extended one.
        case plainWithSteps
        /// An extended key that SLIP 132 keeps for another kind of script.
        case kind(ExtendedPublicKey.Kind)
        /// No number below 2³¹.
        case step
        /// A hardened step after an extended public key.
        case hardened
        /// More steps than 255 away from the first key.
        case tooManySteps
        /// `<…>` in an origin.
        case severalInOrigin
        /// `<…>` twice in a key.
        case severalTwice
        /// `<…>` with one number, or too many.
        case severalCount(most: Int)
        /// `<…>` with a number twice.
        case severalAlike
    }

    /// Characters.
    case tooLong(Int)
    /// A character that no descriptor has (BIP 380).
    case character(at: Int)
    /// `#` twice.
    case twoChecksums(at: Int)
    /// This many characters behind `#`, instead of 8.
    case checksumLength(Int)
    /// Another checksum than the one that the text has.
    case checksum(expected: String)
    case secret(TypedScriptError.Secret)
    /// An extended key alone.
    case bareKey
    /// No function that is known.
    case function(at: Int)
    /// A function that can only stand elsewhere.
    case misplaced(String, rule: String, at: Int)
    case expected(String, at: Int)
    case address(AddressError)
    /// `raw()` of something else than whole bytes in hex.
    case notHex(at: Int)
    case key(KeyFault, at: Int)
    case extendedKey(ExtendedKeyError, at: Int)
    /// No number of signatures from 1 to the number of keys.
    case threshold(keys: Int, at: Int)
    case tooManyKeys(most: Int, at: Int)
    /// A script of P2SH with more bytes than 520.
    case redeemScript(Int, at: Int)
    /// More than 128 braces inside each other.
    case tooDeep(at: Int)
    /// Keys with `<…>` of different lengths.
    case branches
    /// Keys of the main network and of another.
    case networks
    /// An index from 2³¹.
    case index(UInt32)
    /// The child of this number is no key, which happens once in 2¹²⁷.
    case noKey(UInt32)
}

extension DescriptorError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tooLong(let count):
            "is \(count) characters long, and no descriptor of more than \(Descriptor.longest) is taken"
        case .character(let place): "has a character that no descriptor has, at place \(place + 1)"
        case .twoChecksums(let place): "is a descriptor with a second # at place \(place + 1)"
        case .checksumLength(let count):
            "is a descriptor with \(count) characters behind the #, where a checksum has 8"
        case .checksum(let expected):
            "is a descriptor with another checksum than its text has, which is #\(expected): it is mistyped or cut off"
        case .secret(let secret):
            TypedScriptError.secret(secret).description
        case .bareKey:
            "is an extended public key, which does not say which scripts are made of its keys. Say it: wpkh(KEY/<0;1>/*) for "
                + "addresses that begin with bc1q or tb1q, tr(KEY/<0;1>/*) for bc1p or tb1p, sh(wpkh(KEY/<0;1>/*)) for 3 or 2, "
                + "pkh(KEY/<0;1>/*) for 1, m or n"
        case .function(let place):
            "has at place \(place + 1) no function that is known: addr, raw, pk, pkh, wpkh, combo, multi, sortedmulti, sh, wsh, "
                + "tr, rawtr, multi_a and sortedmulti_a are. Other miniscript, and musig, are not taken"
        case .misplaced(let name, let rule, let place):
            "is a descriptor with \(name)() at place \(place + 1), which can only stand \(rule) (miniscript is not taken)"
        case .expected(let what, let place): "is a descriptor that lacks \(what) at place \(place + 1)"
        case .address(let error): "is a descriptor of no address: \(error)"
        case .notHex(let place):
            "is a descriptor with raw() of something else than whole bytes in hex, at place \(place + 1)"
        case .key(let fault, let place): "is a descriptor with a fault at place \(place + 1): \(fault.words)"
        case .extendedKey(.privateKey, _): TypedScriptError.secret(.descriptor).description
        case .extendedKey(let error, let place):
            "has a key at place \(place + 1) that cannot be used: \(error)"
        case .threshold(let keys, let place):
            "is a descriptor that asks for signatures at place \(place + 1): give a number from 1 to that of the keys, which is "
                + "\(keys)"
        case .tooManyKeys(let most, let place):
            "is a descriptor with too many keys at place \(place + 1): \(most) can stand there"
        case .redeemScript(let size, let place):
            "is a descriptor with a script of \(size) bytes at place \(place + 1), and sh() takes 520"
        case .tooDeep(let place):
            "is a descriptor with more than 128 braces inside each other at place \(place)"
        case .branches:
            "is a descriptor with different counts of numbers in <…>: they go together, one by one"
        case .networks: "is a descriptor that mixes keys of the main network with those of others"
        case .index(let index): "has no script number \(index): 2147483647 is the last"
        case .noKey(let number): "has no key number \(number) (BIP 32: once in 2^127)"
        }
    }
}

extension DescriptorError.KeyFault {
    fileprivate var words: String {
        switch self {
        case .missing: "there is no key"
        case .origin:
            "an origin is [FINGERPRINT/PATH] in front of a key, the fingerprint in 8 hex digits, and is there once"
        case .noPoint: "a key in hex has 33 bytes, or 65, or in tr() 32, and is a point of the curve"
        case .hybrid: "keys of OpenSSL's hybrid form are not allowed"
        case .uncompressed: "keys that are not compressed are not allowed in witness scripts"
        case .plainWithSteps: "a key in hex has no children: steps follow an extended key only"
        case .kind(.nested):
            "ypub and upub stand for sh(wpkh(KEY)) (SLIP 132); write the xpub or tpub of the same key for another script"
        case .kind:
            "zpub and vpub stand for wpkh(KEY) alone (SLIP 132); write the xpub or tpub of the same key for another script"
        case .step: "a step is a number from 0 to 2147483647, or /* at the end"
        case .hardened:
            "a public key has no hardened children: give the xpub of the last hardened step, with what led to it in front: "
                + "[FINGERPRINT/PATH]XPUB"
        case .tooManySteps: "a key is at most 255 steps away from the first one"
        case .severalInOrigin: "<…> cannot stand in an origin"
        case .severalTwice: "<…> can stand once in a key"
        case .severalCount(let most): "<…> has 2 to \(most) numbers, with ; between"
        case .severalAlike: "<…> has each number once"
        }
    }
}
