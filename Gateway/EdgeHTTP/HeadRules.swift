// What the fields of a head must say together: one host, one framing, nothing twice that may come once.

enum HeadRules {
    /// Fields that some server joins and another takes the first of.
    private static let singles = [
        "expect", "authorization", "cookie", "content-type", "if-match", "idempotency-key", "usher-place", "usher-pass",
        "usher-device",
    ]
    private static let expectIndex = 0

    static func head(_ line: RequestLine, _ fields: [EdgeHeaders.Field]) throws(EdgeRefusal) -> EdgeRequestHead {
        var found = Found()
        var kept: [EdgeHeaders.Field] = []
        kept.reserveCapacity(fields.count)
        for field in fields {
            if try found.take(field) { kept.append(field) }
        }
        guard let host = found.host, isHost(host.utf8) else {
            throw .malformed(.host)
        }
        if let authority = line.authority, !EdgeHeaders.areEqual(authority, host) { throw .malformed(.authority) }
        var head = EdgeRequestHead(
            method: line.method,
            target: line.target,
            host: host,
            framing: try framing(line, found),
            headers: EdgeHeaders(kept),
            keepsAlive: line.isVersion11 && !found.asksToClose
        )
        head.isVersion11 = line.isVersion11
        head.expectsContinue = found.expectsContinue && line.isVersion11 && head.framing != .none
        return head
    }

    /// A name or address with an optional port; brackets only around an IPv6 address.
    private static func isHost(_ host: String.UTF8View) -> Bool {
        guard let first = host.first, first != UInt8(ascii: ":"), host.allSatisfy(ByteRules.isHost) else {
            return false
        }
        let opened = host.lastIndex(of: UInt8(ascii: "["))
        let closed = host.lastIndex(of: UInt8(ascii: "]"))
        guard let opened, let closed else { return opened == nil && closed == nil }
        let rest = host[host.index(after: closed)...]
        return opened == host.startIndex && host.firstIndex(of: UInt8(ascii: "]")) == closed
            && (rest.isEmpty || rest.first == UInt8(ascii: ":"))
    }

    private static func framing(
        _ line: RequestLine,
        _ found: Found
    ) throws(EdgeRefusal) -> EdgeRequestHead.Framing {
        switch (found.length, found.coding) {
        case (.some, .some):
            throw .malformed(.framingTwice)
        case (nil, nil):
            return .none
        case (let length?, nil):
            guard (1...16).contains(length.utf8.count), length.utf8.allSatisfy(ByteRules.isDigit),
                let count = Int(length), count <= 1 << 53
            else { throw .malformed(.contentLength) }
            guard count > 0 else { return .none }
            guard !line.method.forbidsBody else { throw .malformed(.bodyNotAllowed) }
            return .length(count)
        case (nil, let coding?):
            guard line.isVersion11 else { throw .malformed(.codingInOldVersion) }
            guard !coding.isEmpty, coding.utf8.allSatisfy(ByteRules.isToken) else { throw .malformed(.fieldValue) }
            guard EdgeHeaders.areEqual(coding, "chunked") else { throw .codingUnknown }
            guard !line.method.forbidsBody else { throw .malformed(.bodyNotAllowed) }
            return .chunked
        }
    }

    /// The fields that speak of the connection and the framing, taken out of the rest. Names are told apart by length
    /// first: most fields of a request are none of these.
    private struct Found {
        var host: String?
        var length: String?
        var coding: String?
        var asksToClose = false
        var expectsContinue = false
        /// One bit for each of `singles`.
        private var seen: UInt16 = 0

        /// Whether the field stays among the request's headers.
        mutating func take(_ field: EdgeHeaders.Field) throws(EdgeRefusal) -> Bool {
            func isNamed(_ name: String) -> Bool { EdgeHeaders.areEqual(field.name, name) }
            switch field.name.utf8.count {
            case 4 where isNamed("host"):
                guard host == nil else { throw .malformed(.host) }
                host = field.value
                return false
            case 14 where isNamed("content-length"):
                guard length == nil else { throw .malformed(.duplicate) }
                length = field.value
                return false
            case 17 where isNamed("transfer-encoding"):
                guard coding == nil else { throw .malformed(.duplicate) }
                coding = field.value
                return false
            case 10 where isNamed("connection"):
                let options = field.value.split(separator: ",").map { CookieHeader.trimmed($0).lowercased() }
                asksToClose = asksToClose || options.contains("close")
                return true
            case 13...24 where looksLikeFraming(field.name):
                throw .malformed(.fieldName)
            default:
                return try takeSingle(field)
            }
        }

        private mutating func takeSingle(_ field: EdgeHeaders.Field) throws(EdgeRefusal) -> Bool {
            guard let index = singles.firstIndex(where: { EdgeHeaders.areEqual($0, field.name) }) else { return true }
            guard seen & 1 << index == 0 else { throw .malformed(.duplicate) }
            seen |= 1 << index
            guard index == expectIndex else { return true }
            guard EdgeHeaders.areEqual(field.value, "100-continue") else { throw .expectationUnknown }
            expectsContinue = true
            return false
        }

        /// `Transfer--Encoding`, `Content.Length`: a name that a lenient server may take for one that frames the body.
        private func looksLikeFraming(_ name: String) -> Bool {
            guard let first = name.utf8.first(where: ByteRules.isLetter).map(EdgeHeaders.lowered),
                first == UInt8(ascii: "c") || first == UInt8(ascii: "t")
            else { return false }
            let letters = name.utf8.filter(ByteRules.isLetter).map(EdgeHeaders.lowered)
            return letters.elementsEqual("transferencoding".utf8) || letters.elementsEqual("contentlength".utf8)
        }
    }
}
