// What the fields of a head must say together: one host, one framing, nothing twice that may come once.

enum HeadRules {
    /// Fields that some server joins and another takes the first of.
    private static let singles: Set<String> = [
        "authorization", "cookie", "content-type", "expect", "if-match", "idempotency-key", "usher-place",
        "usher-pass", "usher-device",
    ]

    static func head(_ line: RequestLine, _ fields: [EdgeHeaders.Field]) throws(EdgeRefusal) -> EdgeRequestHead {
        var found = Found()
        var kept: [EdgeHeaders.Field] = []
        kept.reserveCapacity(fields.count)
        for field in fields {
            if try found.take(field) { kept.append(field) }
        }
        guard let host = found.host, !host.isEmpty, host.utf8.allSatisfy(ByteRules.isHost) else {
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

    /// The fields that speak of the connection and the framing, taken out of the rest.
    private struct Found {
        var host: String?
        var length: String?
        var coding: String?
        var asksToClose = false
        var expectsContinue = false
        private var seen: Set<String> = []

        /// Whether the field stays among the request's headers.
        mutating func take(_ field: EdgeHeaders.Field) throws(EdgeRefusal) -> Bool {
            let name = field.name.lowercased()
            switch name {
            case "host":
                guard host == nil else { throw .malformed(.host) }
                host = field.value
                return false
            case "content-length":
                guard length == nil else { throw .malformed(.duplicate) }
                length = field.value
                return false
            case "transfer-encoding":
                guard coding == nil else { throw .malformed(.duplicate) }
                coding = field.value
                return false
            case "connection":
                let options = field.value.split(separator: ",").map { CookieHeader.trimmed($0).lowercased() }
                asksToClose = asksToClose || options.contains("close")
                return true
            default:
                guard singles.contains(name) else { return true }
                guard seen.insert(name).inserted else { throw .malformed(.duplicate) }
                guard name == "expect" else { return true }
                guard field.value.lowercased() == "100-continue" else { throw .expectationUnknown }
                expectsContinue = true
                return false
            }
        }
    }
}
