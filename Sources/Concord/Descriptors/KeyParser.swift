/// Reads a key of a descriptor (BIP 380), as Bitcoin Core's `ParsePubkey` does.
enum KeyParser {
    /// A public key has children below this number alone.
    private static let hardened: UInt64 = 1 << 31
    /// Bitcoin Core has no such bound; each branch is a descriptor of its own.
    private static let maxBranches = 100

    /// A part of a descriptor, whose indices are places in it. Kinds of extended keys but `kind` and the plain one are
    /// refused.
    static func parse(
        _ text: ArraySlice<UInt8>, allowsUncompressed: Bool, allowsX: Bool, kind: ExtendedPublicKey.Kind
    ) throws(DescriptorError) -> KeyExpression {
        var rest = text
        var origin: KeyOrigin?
        if rest.first == UInt8(ascii: "[") {
            guard let end = rest.firstIndex(of: UInt8(ascii: "]")) else {
                throw .key(.origin, at: text.startIndex)
            }
            origin = try Self.origin(rest[(rest.startIndex + 1)..<end])
            rest = rest[(end + 1)...]
        }
        if let bracket = rest.firstIndex(where: { "[]".utf8.contains($0) }) {
            throw .key(.origin, at: bracket)
        }
        let parts = rest.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let head = String(decoding: parts[0], as: UTF8.self)
        let place = rest.startIndex
        if head.isEmpty { throw .key(.missing, at: place) }
        if let bytes = [UInt8](hex: head.lowercased()) {
            guard parts.count == 1 else { throw .key(.plainWithSteps, at: place) }
            let isX = allowsX && bytes.count == 32
            let point = try Self.point(isX ? [2] + bytes : bytes, allowsUncompressed, at: place)
            return KeyExpression(origin: origin, material: .point(point, isX: isX))
        }
        let key: ExtendedPublicKey
        do throws(ExtendedKeyError) {
            key = try ExtendedPublicKey(head)
        } catch {
            throw .extendedKey(error, at: place)
        }
        guard key.kind == .any || key.kind == kind else { throw .key(.kind(key.kind), at: place) }
        let steps = try Self.steps(parts.dropFirst())
        guard Int(key.depth) + steps.path.count + (steps.isRanged ? 1 : 0) <= 255 else {
            throw .key(.tooManySteps, at: place)
        }
        return KeyExpression(origin: origin, material: .extended(key, steps))
    }

    private static func point(
        _ bytes: [UInt8], _ allowsUncompressed: Bool, at place: Int
    ) throws(DescriptorError) -> [UInt8] {
        guard bytes.count == 33 || bytes.count == 65, bytes.withBytes({ Secp256k1.parsed($0) }) != nil else {
            throw .key(.noPoint, at: place)
        }
        if bytes[0] == 6 || bytes[0] == 7 { throw .key(.hybrid, at: place) }
        guard bytes.count == 33 || allowsUncompressed else { throw .key(.uncompressed, at: place) }
        return bytes
    }

    /// What stands in the square brackets.
    private static func origin(_ text: ArraySlice<UInt8>) throws(DescriptorError) -> KeyOrigin {
        let parts = text.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts[0].count == 8,
            let fingerprint = [UInt8](hex: String(decoding: parts[0], as: UTF8.self).lowercased())
        else { throw .key(.origin, at: text.startIndex) }
        var path: [UInt32] = []
        var hasApostrophes = false
        for part in parts.dropFirst() {
            if part.first == UInt8(ascii: "<") { throw .key(.severalInOrigin, at: part.startIndex) }
            let (digits, mark) = split(part)
            guard let number = number(digits, below: hardened) else { throw .key(.step, at: part.startIndex) }
            if let mark { hasApostrophes = mark == UInt8(ascii: "'") }
            path.append(UInt32(number) | (mark == nil ? 0 : UInt32(hardened)))
        }
        return KeyOrigin(fingerprint: fingerprint, path: path, hasApostrophes: hasApostrophes)
    }

    private static func steps(
        _ parts: ArraySlice<ArraySlice<UInt8>>
    ) throws(DescriptorError) -> KeyExpression.Steps {
        var steps = KeyExpression.Steps()
        for (i, part) in parts.enumerated() {
            let (plain, mark) = split(part)
            if i == parts.count - 1, plain.elementsEqual("*".utf8) {
                if mark != nil { throw .key(.hardened, at: part.startIndex) }
                steps.isRanged = true
            } else if part.first == UInt8(ascii: "<"), part.last == UInt8(ascii: ">") {
                guard steps.several == nil else { throw .key(.severalTwice, at: part.startIndex) }
                let values = try Self.several(part.dropFirst().dropLast())
                steps.several = (steps.path.count, values)
                steps.path.append(values[0])
            } else {
                steps.path.append(try step(part))
            }
        }
        return steps
    }

    /// What stands between `<` and `>`.
    private static func several(_ text: ArraySlice<UInt8>) throws(DescriptorError) -> [UInt32] {
        let parts = text.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
        guard (2...maxBranches).contains(parts.count) else {
            throw .key(.severalCount(most: maxBranches), at: text.startIndex)
        }
        var values: [UInt32] = []
        for part in parts {
            let value = try step(part)
            guard !values.contains(value) else { throw .key(.severalAlike, at: part.startIndex) }
            values.append(value)
        }
        return values
    }

    private static func step(_ text: ArraySlice<UInt8>) throws(DescriptorError) -> UInt32 {
        let (digits, mark) = split(text)
        guard let number = number(digits, below: hardened) else { throw .key(.step, at: text.startIndex) }
        if mark != nil { throw .key(.hardened, at: text.startIndex) }
        return UInt32(number)
    }

    /// A step without the mark of a hardened one.
    private static func split(_ step: ArraySlice<UInt8>) -> (ArraySlice<UInt8>, mark: UInt8?) {
        guard let last = step.last, "h'".utf8.contains(last) else { return (step, nil) }
        return (step.dropLast(), last)
    }

    /// Decimal digits alone, one or more.
    static func number(_ digits: ArraySlice<UInt8>, below bound: UInt64) -> UInt64? {
        guard !digits.isEmpty else { return nil }
        var number: UInt64 = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            number = number * 10 + UInt64(digit - UInt8(ascii: "0"))
            guard number < bound else { return nil }
        }
        return number
    }
}
