// The fields of a head while it is being read: where they stand, and what those say that frame the request.

struct HeadFields {
    private(set) var slots = ContiguousArray<FieldSlot>()
    private(set) var known = KnownSlots()
    /// Of fields that the codec takes out of the head.
    private(set) var host: Range<Int>?
    private(set) var length: Range<Int>?
    private(set) var coding: Range<Int>?
    private(set) var asksToClose = false
    private(set) var expectsContinue = false
    private(set) var count = 0
    /// One bit for each known field that has come.
    private var seen: UInt32 = 0

    private static let usualCount = 12

    /// Reads the field line that stands at `range`.
    mutating func take(_ range: Range<Int>, of bytes: UnsafeRawBufferPointer) throws(EdgeRefusal) {
        let (name, value) = try Self.parts(of: range, in: bytes)
        count += 1
        let nameBytes = UnsafeRawBufferPointer(rebasing: bytes[name])
        if let field = KnownField.named(nameBytes) {
            let bit: UInt32 = 1 << UInt32(field.rawValue)
            guard seen & bit == 0 || !field.mayComeOnce else {
                throw .malformed(field == .host ? .host : .duplicate)
            }
            seen |= bit
            if field == .contentLength || field == .transferEncoding {
                // Blanks may be tabs (RFC 9110 §5.6.3), but not every server knows that: none around what frames a body.
                guard !bytes[name.upperBound..<range.upperBound].contains(ByteRules.tab) else {
                    throw .malformed(.fieldValue)
                }
            }
            guard try stays(field, value, bytes) else { return }
            known.set(field, slots.count)
        } else if KnownField.looksLikeFraming(nameBytes) {
            throw .malformed(.fieldName)
        }
        if slots.isEmpty { slots.reserveCapacity(Self.usualCount) }
        slots.append(FieldSlot(name: ByteSpan(name), value: ByteSpan(value)))
    }

    /// Whether a known field stays among the request's headers.
    private mutating func stays(
        _ field: KnownField,
        _ value: Range<Int>,
        _ bytes: UnsafeRawBufferPointer
    ) throws(EdgeRefusal) -> Bool {
        switch field {
        case .host: host = value
        case .contentLength: length = value
        case .transferEncoding: coding = value
        case .expect:
            guard ByteRules.isSame(UnsafeRawBufferPointer(rebasing: bytes[value]), "100-continue") else {
                throw .expectationUnknown
            }
            expectsContinue = true
        case .connection:
            asksToClose = asksToClose || Self.hasOption("close", in: UnsafeRawBufferPointer(rebasing: bytes[value]))
            return true
        default: return true
        }
        return false
    }

    private static func hasOption(_ option: StaticString, in list: UnsafeRawBufferPointer) -> Bool {
        list.split(separator: UInt8(ascii: ",")).contains { part in
            ByteRules.isSame(UnsafeRawBufferPointer(rebasing: part).trimmed, option)
        }
    }

    /// Name and value of a field line, the value without blanks around it. Checks every byte.
    static func parts(
        of range: Range<Int>,
        in bytes: UnsafeRawBufferPointer
    ) throws(EdgeRefusal) -> (name: Range<Int>, value: Range<Int>) {
        var colon = range.lowerBound
        while colon < range.upperBound, ByteRules.isFieldName(bytes[colon]) { colon += 1 }
        guard colon > range.lowerBound, colon < range.upperBound, bytes[colon] == UInt8(ascii: ":") else {
            let first = bytes[range.lowerBound]
            throw .malformed(first == ByteRules.space || first == ByteRules.tab ? .folded : .fieldName)
        }
        let value = UnsafeRawBufferPointer(rebasing: bytes[(colon + 1)..<range.upperBound])
        switch ByteRules.valueKind(value) {
        case .ascii: break
        case .bad: throw .malformed(.fieldValue)
        case .wide:
            guard String(validating: value, as: UTF8.self) != nil else { throw .malformed(.fieldValue) }
        }
        let inner = value.trimmedRange
        let start = colon + 1 + inner.lowerBound
        return (range.lowerBound..<colon, start..<(start + inner.count))
    }
}

extension UnsafeRawBufferPointer {
    /// Without spaces and tabs at both ends.
    var trimmedRange: Range<Int> {
        var (start, end) = (0, count)
        while start < end, self[start] == ByteRules.space || self[start] == ByteRules.tab { start += 1 }
        while end > start, self[end - 1] == ByteRules.space || self[end - 1] == ByteRules.tab { end -= 1 }
        return start..<end
    }

    var trimmed: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self[trimmedRange]) }
}
