// The comparison that the tests and the fuzz targets share. Everything here says nil, or what is wrong in one line.
import EdgeHTTP

package enum Disagreement {
    /// The guard takes a subset: whatever the codec accepted, llhttp accepted too and read the same way, request by
    /// request.
    package static func between(_ edge: EdgeReading, _ llhttp: LlhttpReading) -> String? {
        for (index, message) in edge.messages.enumerated() {
            guard index < llhttp.messages.count else {
                return llhttp.endsInUpgrade && index > 0 ? nil : "request \(index): llhttp refuses \(message)"
            }
            if let part = differingPart(message, llhttp.messages[index]) {
                return "request \(index): \(part): codec \(message), llhttp \(llhttp.messages[index])"
            }
        }
        return nil
    }

    /// A reply that the proxy read whole, llhttp read whole too, and the same.
    package static func between(edge: ReplyReading, llhttp: ReplyReading) -> String? {
        guard edge.isComplete else { return nil }
        return edge == llhttp ? nil : "reply: proxy \(edge), llhttp \(llhttp)"
    }

    /// Where reads end changes nothing of a reply either. Of one that is cut short or faulty, the one reading may have
    /// handed on more than the other.
    package static func between(whole: ReplyReading, inPieces: ReplyReading) -> String? {
        let isSame =
            whole.isComplete
            ? whole == inPieces
            : (whole.status, whole.fields, whole.isRefused, whole.isComplete)
                == (inPieces.status, inPieces.fields, inPieces.isRefused, inPieces.isComplete)
        return isSame ? nil : "pieces change a reply: \(whole) or \(inPieces)"
    }

    /// Where reads end changes nothing: neither what is accepted nor what is refused. Bytes that are too many and wrong
    /// besides may be refused for either, by what comes first.
    package static func between(whole: EdgeReading, inPieces: EdgeReading) -> String? {
        if !areSame(whole.messages, inPieces.messages) {
            return "pieces change what is read: \(whole.messages) or \(inPieces.messages)"
        }
        let refusals = [whole.refusal, inPieces.refusal].compactMap { $0 }
        if refusals.count == 1 { return "pieces change whether it is refused: \(refusals)" }
        if refusals.first != refusals.last, !refusals.contains(where: isOfSize) {
            return "pieces change the refusal: \(refusals)"
        }
        return nil
    }

    /// Of a body that never ends, the one reading may have handed on more than the other.
    private static func areSame(_ one: [ReadMessage], _ other: [ReadMessage]) -> Bool {
        guard var left = one.last, var right = other.last, !left.isComplete, !right.isComplete else {
            return one == other
        }
        guard left.body.starts(with: right.body) || right.body.starts(with: left.body) else { return false }
        left.body = []
        right.body = []
        return left == right && one.dropLast() == other.dropLast()
    }

    private static func isOfSize(_ refusal: EdgeRefusal) -> Bool {
        refusal == .targetTooLong || refusal == .headersTooLarge || refusal == .bodyTooLarge
    }

    /// What must hold of one reading by itself.
    package static func within(_ edge: EdgeReading) -> String? {
        if edge.wentOnAfterRefusal { return "a request was read behind a refused one" }
        if edge.isDeaf { return "the codec did not ask for bytes that were there" }
        for message in edge.messages.dropLast() where !message.isComplete || !message.keepsAlive {
            return "a request was read behind an unfinished or last one"
        }
        for head in edge.heads {
            let parts = head.query.map { "\(head.path)?\($0)" } ?? String(head.path)
            guard parts == head.target, head.target.hasPrefix("/") else { return "path and query are not the target" }
            for field in head.headers.fields {
                let name = "\(field.name)"
                guard head.first(name) != nil else { return "\(name) is there and cannot be found" }
            }
        }
        return nil
    }

    private static func differingPart(_ edge: ReadMessage, _ other: ReadMessage) -> String? {
        if edge.method != other.method { return "method" }
        if !isTarget(edge.target, of: other.target) { return "target" }
        if edge.hosts != other.hosts { return "host" }
        if edge.fields != other.fields { return "fields" }
        if edge.framing != other.framing { return "framing" }
        if edge.keepsAlive, !other.keepsAlive { return "keep-alive" }
        guard other.body.starts(with: edge.body) else { return "body" }
        if edge.isComplete, !other.isComplete || edge.body.count != other.body.count { return "end" }
        return nil
    }

    /// The codec writes every target in origin form.
    private static func isTarget(_ origin: String, of target: String) -> Bool {
        if origin == target { return true }
        guard let scheme = ["http://", "https://"].first(where: target.hasPrefix) else { return false }
        let rest = target.dropFirst(scheme.count)
        let end = rest.utf8.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
        let path = rest[end...]
        return origin == (path.hasPrefix("/") ? String(path) : "/" + path)
    }
}
