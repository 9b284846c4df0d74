// Replies read without being parsed: a status, a length, and the few bytes of the body that matter.
import Glibc
import NIOCore

struct PlainReply {
    enum Flaw: Error { case notHTTP, noLength }

    static let headBytesMax = 16_384

    let status: Int
    let body: ByteBuffer
    let closes: Bool

    /// Takes one whole reply off the front; nil when there is none yet.
    static func next(from buffer: inout ByteBuffer) throws(Flaw) -> PlainReply? {
        guard let headEnd = buffer.readableBytesView.position(of: "\r\n\r\n") else {
            guard buffer.readableBytes <= headBytesMax else { throw .notHTTP }
            return nil
        }
        let head = buffer.readableBytesView[..<headEnd]
        let digits = head.dropFirst(9).prefix(3)
        guard digits.count == 3, let status = Int(String(decoding: digits, as: UTF8.self)) else { throw .notHTTP }
        let text = String(decoding: head, as: UTF8.self).lowercased()
        var length = status == 204 ? 0 : -1
        var closes = false
        for line in text.split(separator: "\r\n") {
            if line.hasPrefix("content-length:") {
                length = Int(line.dropFirst(15).drop { $0 == " " }) ?? -1
            } else if line.hasPrefix("connection:") {
                closes = line.hasSuffix("close")
            }
        }
        guard length >= 0 else { throw .noLength }
        let headLength = headEnd - buffer.readerIndex + 4
        guard buffer.readableBytes >= headLength + length else { return nil }
        buffer.moveReaderIndex(forwardBy: headLength)
        guard let body = buffer.readSlice(length: length) else { throw .noLength }
        return PlainReply(status: status, body: body, closes: closes)
    }

    /// The text between `start` and the next quotation mark, each time it comes.
    func texts(after start: StaticString) -> [String] {
        var rest = body.readableBytesView
        var found: [String] = []
        while let position = rest.position(of: start) {
            rest = rest[(position + start.utf8CodeUnitCount)...]
            guard let end = rest.firstIndex(of: UInt8(ascii: "\"")) else { break }
            found.append(String(decoding: rest[..<end], as: UTF8.self))
            rest = rest[end...]
        }
        return found
    }

    /// The text between `start` and the next quotation mark, the first time it comes.
    func text(after start: StaticString) -> String? {
        guard let position = body.readableBytesView.position(of: start) else { return nil }
        let rest = body.readableBytesView[(position + start.utf8CodeUnitCount)...]
        guard let end = rest.firstIndex(of: UInt8(ascii: "\"")) else { return nil }
        return String(decoding: rest[..<end], as: UTF8.self)
    }

    func contains(_ text: StaticString) -> Bool { body.readableBytesView.position(of: text) != nil }
}

extension ByteBufferView {
    /// Where the text begins.
    func position(of text: StaticString) -> Int? {
        let length = text.utf8CodeUnitCount
        return withUnsafeBytes { bytes -> Int? in
            guard let base = bytes.baseAddress else { return nil }
            var offset = 0
            while offset + length <= bytes.count,
                let found = memchr(base + offset, Int32(text.utf8Start.pointee), bytes.count - length - offset + 1)
            {
                if memcmp(found, text.utf8Start, length) == 0 { return UnsafeRawPointer(found) - base }
                offset = UnsafeRawPointer(found) - base + 1
            }
            return nil
        }.map { $0 + startIndex }
    }
}
