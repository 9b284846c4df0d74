// The fields the gateway looks at on its own, told apart once while a head is parsed.

/// A field whose place in a head is remembered, so that asking for it needs no search.
package enum KnownField: Int, CaseIterable, Sendable {
    case authorization, cookie, contentType, ifMatch, idempotencyKey, place, pass, device
    case connection, accept, userAgent, forwardedFor
    // Read by the codec and then taken out of the head.
    case host, contentLength, transferEncoding, expect

    /// In lower case.
    package var name: StaticString {
        switch self {
        case .authorization: "authorization"
        case .cookie: "cookie"
        case .contentType: "content-type"
        case .ifMatch: "if-match"
        case .idempotencyKey: "idempotency-key"
        case .place: "usher-place"
        case .pass: "usher-pass"
        case .device: "usher-device"
        case .connection: "connection"
        case .accept: "accept"
        case .userAgent: "user-agent"
        case .forwardedFor: "x-forwarded-for"
        case .host: "host"
        case .contentLength: "content-length"
        case .transferEncoding: "transfer-encoding"
        case .expect: "expect"
        }
    }

    /// Some server joins two of these and another takes the first: they may come once.
    var mayComeOnce: Bool {
        switch self {
        case .connection, .accept, .userAgent, .forwardedFor: false
        default: true
        }
    }

    /// By length first: most fields of a request are none of these.
    static func named(_ name: UnsafeRawBufferPointer) -> KnownField? {
        func only(_ field: KnownField) -> KnownField? { ByteRules.isSame(name, field.name) ? field : nil }
        switch name.count {
        case 4: return only(.host)
        case 6: return only(.cookie) ?? only(.accept) ?? only(.expect)
        case 8: return only(.ifMatch)
        case 10: return only(.userAgent) ?? only(.connection) ?? only(.pass)
        case 11: return only(.place)
        case 12: return only(.contentType) ?? only(.device)
        case 13: return only(.authorization)
        case 14: return only(.contentLength)
        case 15: return only(.idempotencyKey) ?? only(.forwardedFor)
        case 17: return only(.transferEncoding)
        default: return nil
        }
    }

    /// `Transfer--Encoding`, `Content.Length`: a name that a lenient server may take for one that frames the body.
    static func looksLikeFraming(_ name: UnsafeRawBufferPointer) -> Bool {
        guard (13...24).contains(name.count), let first = name.first(where: ByteRules.isLetter).map(ByteRules.lowered),
            first == UInt8(ascii: "c") || first == UInt8(ascii: "t")
        else { return false }
        let letters = name.filter(ByteRules.isLetter).map(ByteRules.lowered)
        return letters.elementsEqual("transferencoding".utf8) || letters.elementsEqual("contentlength".utf8)
    }
}

/// Where the known fields of a head stand among its slots.
struct KnownSlots: Sendable {
    private static let absent = UInt8.max
    private var indexes = SIMD16<UInt8>(repeating: absent)

    subscript(_ field: KnownField) -> Int? {
        let index = indexes[field.rawValue]
        return index == Self.absent ? nil : Int(index)
    }

    /// The first of several is remembered.
    mutating func set(_ field: KnownField, _ index: Int) {
        if indexes[field.rawValue] == Self.absent { indexes[field.rawValue] = UInt8(truncatingIfNeeded: index) }
    }
}
