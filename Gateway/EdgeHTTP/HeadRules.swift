// What the parts of a head must say together: one host, one framing.
import NIOCore

enum HeadRules {
    private static let lengthDigitsMax = 16
    private static let lengthMax = 1 << 53

    static func head(
        _ line: RequestLine,
        _ fields: HeadFields,
        _ bytes: ByteBuffer
    ) throws(EdgeRefusal) -> EdgeRequestHead {
        let checked = bytes.withUnsafeReadableBytes { bytes in
            Result { () throws(EdgeRefusal) in try check(line, fields, bytes) }
        }
        let framing = try checked.get()
        var head = EdgeRequestHead(
            method: line.method,
            framing: framing,
            keepsAlive: line.isVersion11 && !fields.asksToClose,
            storage: storage(line, fields, bytes)
        )
        head.isVersion11 = line.isVersion11
        head.expectsContinue = fields.expectsContinue && line.isVersion11 && framing != .none
        return head
    }

    private static func storage(_ line: RequestLine, _ fields: HeadFields, _ bytes: ByteBuffer) -> HeadBytes {
        var bytes = bytes
        var line = line
        if line.needsSlash {
            // Written anew behind the head.
            let rest = bytes.getSlice(at: bytes.readerIndex + line.target.lowerBound, length: line.target.count)
            let start = bytes.readableBytes
            bytes.writeStaticString("/")
            if let rest { bytes.writeImmutableBuffer(rest) }
            line.target = start..<bytes.readableBytes
            line.pathCount += 1
        }
        return HeadBytes(
            bytes: bytes,
            target: ByteSpan(line.target),
            pathCount: line.pathCount,
            host: fields.host.map { ByteSpan($0) } ?? .empty,
            slots: fields.slots,
            known: fields.known
        )
    }

    private static func check(
        _ line: RequestLine,
        _ fields: HeadFields,
        _ bytes: UnsafeRawBufferPointer
    ) throws(EdgeRefusal) -> EdgeRequestHead.Framing {
        guard let hostRange = fields.host else { throw .malformed(.host) }
        let host = UnsafeRawBufferPointer(rebasing: bytes[hostRange])
        guard isHost(host) else { throw .malformed(.host) }
        if let authority = line.authority {
            guard bytes[authority].map(ByteRules.lowered).elementsEqual(host.map(ByteRules.lowered)) else {
                throw .malformed(.authority)
            }
        }
        return try framing(line, fields, bytes)
    }

    /// A name or address with an optional port; brackets only around an IPv6 address.
    private static func isHost(_ host: UnsafeRawBufferPointer) -> Bool {
        guard let first = host.first, first != UInt8(ascii: ":") else { return false }
        var brackets = 0
        for byte in host {
            guard ByteRules.isHost(byte) else { return false }
            if byte == UInt8(ascii: "[") || byte == UInt8(ascii: "]") { brackets += 1 }
        }
        guard brackets > 0 else { return true }
        guard brackets == 2, first == UInt8(ascii: "["), let closed = host.firstIndex(of: UInt8(ascii: "]")) else {
            return false
        }
        return closed + 1 == host.count || host[closed + 1] == UInt8(ascii: ":")
    }

    private static func framing(
        _ line: RequestLine,
        _ fields: HeadFields,
        _ bytes: UnsafeRawBufferPointer
    ) throws(EdgeRefusal) -> EdgeRequestHead.Framing {
        switch (fields.length, fields.coding) {
        case (.some, .some):
            throw .malformed(.framingTwice)
        case (nil, nil):
            return .none
        case (let length?, nil):
            guard let count = number(UnsafeRawBufferPointer(rebasing: bytes[length])) else {
                throw .malformed(.contentLength)
            }
            guard count > 0 else { return .none }
            guard !line.method.forbidsBody else { throw .malformed(.bodyNotAllowed) }
            return .length(count)
        case (nil, let range?):
            guard line.isVersion11 else { throw .malformed(.codingInOldVersion) }
            let coding = UnsafeRawBufferPointer(rebasing: bytes[range])
            guard ByteRules.isSame(coding, "chunked") else {
                throw isUnknownCoding(coding) ? .codingUnknown : .malformed(.fieldValue)
            }
            guard !line.method.forbidsBody else { throw .malformed(.bodyNotAllowed) }
            return .chunked
        }
    }

    /// A well-formed list of codings (RFC 9112 §7) in which `chunked` comes once and last, if at all: we know only
    /// `chunked` alone.
    private static func isUnknownCoding(_ list: UnsafeRawBufferPointer) -> Bool {
        let codings = list.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
            .map { UnsafeRawBufferPointer(rebasing: $0).trimmed }
        return codings.allSatisfy { !$0.isEmpty && $0.allSatisfy(ByteRules.isToken) }
            && !codings.dropLast().contains { ByteRules.isSame($0, "chunked") }
    }

    /// `1*DIGIT`, at most 2^53.
    private static func number(_ text: UnsafeRawBufferPointer) -> Int? {
        guard (1...lengthDigitsMax).contains(text.count) else { return nil }
        var value = 0
        for byte in text {
            guard ByteRules.isDigit(byte) else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        return value <= lengthMax ? value : nil
    }
}
