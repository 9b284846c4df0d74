// Reads the replies of a service in place, from the bytes as they come. It accepts less than RFC 9112 allows: whatever
// two readers might take in two ways is a flaw, for a reply that is read wrongly becomes the reply of somebody else.
import Glibc
package import NIOCore

package struct UpstreamReplyParser {
    package enum Piece {
        case head(UpstreamReplyHead)
        case body(ByteBuffer)
        case end
    }

    private enum State {
        case head
        case length(Int)
        case chunked(ChunkedDecoder)
        case untilClose
        /// Nothing is due until the next request.
        case complete
    }

    private let limits: UpstreamLimits
    private var state = State.complete
    private var answersHead = false
    private var interimCount = 0
    private var head = HeadInProgress()

    package init(limits: UpstreamLimits = UpstreamLimits()) {
        self.limits = limits
    }

    /// Call it for each request that is sent: what is due next is its reply.
    package mutating func expectReply(to method: EdgeMethod) {
        state = .head
        answersHead = method == .head
        interimCount = 0
    }

    /// Whether the last reply has been read whole.
    package var isComplete: Bool {
        if case .complete = state { true } else { false }
    }

    /// The next piece; nil when more bytes are needed. After `.end` nothing more is taken from the buffer.
    package mutating func next(from buffer: inout ByteBuffer) throws(UpstreamFlaw) -> Piece? {
        switch state {
        case .complete: return nil
        case .head: return try nextHead(from: &buffer).map { .head($0) }
        case .length(0):
            state = .complete
            return .end
        case .length(let left):
            guard let bytes = Self.take(left, from: &buffer) else { return nil }
            state = .length(left - bytes.readableBytes)
            return .body(bytes)
        case .untilClose:
            return Self.take(.max, from: &buffer).map { .body($0) }
        case .chunked(var decoder):
            guard let piece = try Self.chunk(&decoder, &buffer) else {
                state = .chunked(decoder)
                return nil
            }
            if case .end = piece { state = .complete } else { state = .chunked(decoder) }
            return piece
        }
    }

    /// Right after a head: the whole rest of the reply, when it is here already and no longer than `bytesMax`.
    package mutating func rest(from buffer: inout ByteBuffer, bytesMax: Int) -> ByteBuffer? {
        guard case .length(let left) = state, left <= bytesMax, let bytes = buffer.readSlice(length: left) else {
            return nil
        }
        state = .complete
        return bytes
    }

    /// The service has closed the connection in order.
    package mutating func ended() throws(UpstreamFlaw) -> Piece? {
        switch state {
        case .complete: return nil
        case .untilClose:
            state = .complete
            return .end
        case .head, .length, .chunked: throw .cutShort
        }
    }

    private static func take(_ count: Int, from buffer: inout ByteBuffer) -> ByteBuffer? {
        buffer.readableBytes > 0 ? buffer.readSlice(length: min(count, buffer.readableBytes)) : nil
    }

    private static func chunk(
        _ decoder: inout ChunkedDecoder,
        _ buffer: inout ByteBuffer
    ) throws(UpstreamFlaw) -> Piece? {
        do {
            switch try decoder.next(from: &buffer) {
            case nil: return nil
            case .bytes(let bytes): return .body(bytes)
            case .end: return .end
            }
        } catch {
            throw .chunk
        }
    }

    // MARK: Heads

    private mutating func nextHead(from buffer: inout ByteBuffer) throws(UpstreamFlaw) -> UpstreamReplyHead? {
        while true {
            guard let length = try scan(buffer) else { return nil }
            let found = head
            head = HeadInProgress()
            guard let bytes = buffer.readSlice(length: length) else { return nil }
            guard found.status >= 200 else {
                guard found.status != 101 else { throw .switching }
                // HTTP/1.0 has none: to an older reader the next head would be its body.
                // And one that ends the connection has nothing behind it.
                guard found.isVersion11, !found.asksToClose else { throw .interim }
                interimCount += 1
                guard interimCount <= limits.interimRepliesMax else { throw .interim }
                continue
            }
            return try finish(found, bytes)
        }
    }

    /// Reads on from the last whole line; the length of the head once its end is there.
    private mutating func scan(_ buffer: ByteBuffer) throws(UpstreamFlaw) -> Int? {
        // The standard closure cannot throw a type.
        var flaw: UpstreamFlaw?
        let length: Int? = buffer.withUnsafeReadableBytes { bytes in
            do throws(UpstreamFlaw) {
                return try head.read(bytes, limits)
            } catch {
                flaw = error
                return nil
            }
        }
        if let flaw { throw flaw }
        return length
    }

    private mutating func finish(
        _ found: HeadInProgress,
        _ bytes: ByteBuffer
    ) throws(UpstreamFlaw) -> UpstreamReplyHead {
        if found.isChunked {
            guard found.length == nil else { throw .framingTwice }
            guard found.isVersion11 else { throw .coding }
        }
        var framing = EdgeReplyHead.Framing.none
        var endsByClose = false
        if answersHead || !ReplyWriter.hasBody(found.status) {
            state = .length(0)
            if let length = found.length { framing = .length(length) }
            if found.isChunked { framing = .chunked }
        } else if let length = found.length {
            state = .length(length)
            framing = .length(length)
        } else if found.isChunked {
            state = .chunked(ChunkedDecoder())
            framing = .chunked
        } else {
            state = .untilClose
            framing = .chunked
            endsByClose = true
        }
        return UpstreamReplyHead(
            status: found.status,
            framing: framing,
            closes: endsByClose || found.asksToClose || !found.isVersion11,
            namesFields: found.namesFields,
            fields: UpstreamFields(bytes: bytes, lines: found.lines)
        )
    }
}

/// What is known of a head so far. Positions count from its first byte; nothing is taken from the buffer before its end.
private struct HeadInProgress {
    private static let lengthDigitsMax = 16
    private static let versionStart: StaticString = "HTTP/1."

    var status = 0
    var isVersion11 = true
    var length: Int?
    var isChunked = false
    var asksToClose = false
    var namesFields = false
    var lines: [UpstreamFields.Line] = []
    private var position = 0

    mutating func read(_ bytes: UnsafeRawBufferPointer, _ limits: UpstreamLimits) throws(UpstreamFlaw) -> Int? {
        while let end = try lineEnd(bytes, limits) {
            let line = position..<(end - 1)
            position = end + 1
            if status == 0 {
                try readStatus(UnsafeRawBufferPointer(rebasing: bytes[line]))
                lines.reserveCapacity(12)
            } else if line.isEmpty {
                return position
            } else {
                guard lines.count < limits.fieldCountMax else { throw .headTooLarge }
                try readField(line, bytes)
            }
        }
        return nil
    }

    /// Where the next line's line feed is; nil when it has not come.
    private func lineEnd(_ bytes: UnsafeRawBufferPointer, _ limits: UpstreamLimits) throws(UpstreamFlaw) -> Int? {
        guard let base = bytes.baseAddress, position < bytes.count else { return nil }
        guard let found = memchr(base + position, Int32(ByteRules.lineFeed), bytes.count - position) else {
            guard bytes.count <= limits.headBytesMax else { throw .headTooLarge }
            if status == 0 { try checkStart(bytes) }
            return nil
        }
        let end = UnsafeRawPointer(found) - base
        guard end < limits.headBytesMax else { throw .headTooLarge }
        guard end > position, bytes[end - 1] == ByteRules.carriageReturn else { throw .bareLineFeed }
        return end
    }

    /// What does not start as a reply is not waited for.
    private func checkStart(_ bytes: UnsafeRawBufferPointer) throws(UpstreamFlaw) {
        let start = Self.versionStart
        for index in 0..<min(bytes.count, start.utf8CodeUnitCount) where bytes[index] != start.utf8Start[index] {
            throw .statusLine
        }
    }

    private mutating func readStatus(_ line: UnsafeRawBufferPointer) throws(UpstreamFlaw) {
        try checkStart(line)
        // The space behind the digits may be missing when there is no reason: some servers send none.
        guard line.count >= 12, line[8] == ByteRules.space, line.count == 12 || line[12] == ByteRules.space,
            line[7] == UInt8(ascii: "1") || line[7] == UInt8(ascii: "0"),
            line[9...11].allSatisfy(ByteRules.isDigit),
            ByteRules.valueKind(UnsafeRawBufferPointer(rebasing: line[12...])) != .bad
        else { throw .statusLine }
        isVersion11 = line[7] == UInt8(ascii: "1")
        status = line[9...11].reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        guard (100...599).contains(status) else { throw .statusLine }
    }

    private mutating func readField(
        _ range: Range<Int>,
        _ bytes: UnsafeRawBufferPointer
    ) throws(UpstreamFlaw) {
        guard bytes[range.lowerBound] != ByteRules.space, bytes[range.lowerBound] != ByteRules.tab else {
            throw .folded
        }
        var nameEnd = range.lowerBound
        while nameEnd < range.upperBound, ByteRules.isToken(bytes[nameEnd]) { nameEnd += 1 }
        guard nameEnd > range.lowerBound, nameEnd < range.upperBound, bytes[nameEnd] == UInt8(ascii: ":") else {
            throw .fieldName
        }
        var start = nameEnd + 1
        var end = range.upperBound
        while start < end, bytes[start] == ByteRules.space || bytes[start] == ByteRules.tab { start += 1 }
        while start < end, bytes[end - 1] == ByteRules.space || bytes[end - 1] == ByteRules.tab { end -= 1 }
        let value = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
        guard ByteRules.valueKind(value) != .bad else { throw .fieldValue }
        let name = UnsafeRawBufferPointer(rebasing: bytes[range.lowerBound..<nameEnd])
        // Blanks may be tabs, but not every reader knows that: none behind what says where the body ends.
        if bytes[end..<range.upperBound].contains(ByteRules.tab), ByteRules.isSame(name, "content-length") {
            throw .contentLength
        }
        lines.append(
            UpstreamFields.Line(
                start: UInt32(truncatingIfNeeded: range.lowerBound),
                nameEnd: UInt32(truncatingIfNeeded: nameEnd),
                valueStart: UInt32(truncatingIfNeeded: start),
                valueEnd: UInt32(truncatingIfNeeded: end),
                end: UInt32(truncatingIfNeeded: range.upperBound + 2),
                isDropped: try isOfTheConnection(name, value)
            )
        )
    }

    /// Takes note of the fields that say how the body comes and whether the connection stays; none of them goes on.
    private mutating func isOfTheConnection(
        _ name: UnsafeRawBufferPointer,
        _ value: UnsafeRawBufferPointer
    ) throws(UpstreamFlaw) -> Bool {
        switch name.count {
        case 10 where ByteRules.isSame(name, "connection"):
            let options = value.split(separator: UInt8(ascii: ","))
            for option in options {
                let spaces = option.prefix { $0 == ByteRules.space || $0 == ByteRules.tab }.count
                var word = option.dropFirst(spaces)
                while word.last == ByteRules.space || word.last == ByteRules.tab { word = word.dropLast() }
                let name = UnsafeRawBufferPointer(rebasing: word)
                if ByteRules.isSame(name, "close") {
                    asksToClose = true
                } else if !ByteRules.isSame(name, "keep-alive") {
                    namesFields = true
                }
            }
            return true
        case 14 where ByteRules.isSame(name, "content-length"):
            guard length == nil, (1...Self.lengthDigitsMax).contains(value.count),
                value.allSatisfy(ByteRules.isDigit)
            else { throw .contentLength }
            length = value.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
            return true
        case 17 where ByteRules.isSame(name, "transfer-encoding"):
            guard !isChunked, ByteRules.isSame(value, "chunked") else { throw .coding }
            isChunked = true
            return true
        default:
            return false
        }
    }
}
