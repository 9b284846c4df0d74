// Writes a request for a service: the request line, one `Host`, exactly one framing field, then what the caller keeps.
package import NIOCore

package enum UpstreamRequest {
    private static let lineEnd: StaticString = "\r\n"

    /// Everything up to the caller's own fields. `keeps` is asked about every field of the visitor; `Host`, `Expect`
    /// and the framing are not among them.
    package static func write(
        _ head: EdgeRequestHead,
        host: String,
        to buffer: inout ByteBuffer,
        keeps: (UnsafeRawBufferPointer) -> Bool
    ) {
        buffer.writeString(head.method.name)
        buffer.writeStaticString(" ")
        head.storage.with(head.storage.target) { _ = buffer.writeBytes($0) }
        buffer.writeStaticString(" HTTP/1.1\r\nHost: ")
        buffer.writeString(host)
        switch head.framing {
        case .none where head.method.forbidsBody: buffer.writeStaticString(lineEnd)
        case .none: buffer.writeStaticString("\r\nContent-Length: 0\r\n")
        case .length(let count):
            buffer.writeStaticString("\r\nContent-Length: ")
            buffer.writeString(String(count))
            buffer.writeStaticString(lineEnd)
        case .chunked: buffer.writeStaticString("\r\nTransfer-Encoding: chunked\r\n")
        }
        head.forEachField { name, value in
            guard !isFraming(name), keeps(name) else { return }
            buffer.write(upTo: name.count + value.count + 4) { writer in
                writer.put(name)
                writer.put(": ")
                writer.put(value)
                writer.put(lineEnd)
            }
        }
    }

    // MARK: The caller's own fields

    /// A value that would end its line is left out with its name.
    package static func write(_ name: StaticString, _ value: String, to buffer: inout ByteBuffer) {
        var value = value
        value.withUTF8 { write(name, UnsafeRawBufferPointer($0), to: &buffer) }
    }

    package static func write(_ name: StaticString, _ value: UnsafeRawBufferPointer, to buffer: inout ByteBuffer) {
        guard ByteRules.valueKind(value) != .bad else { return }
        buffer.write(upTo: name.utf8CodeUnitCount + value.count + 4) { writer in
            writer.put(name)
            writer.put(": ")
            writer.put(value)
            writer.put(lineEnd)
        }
    }

    package static func write(_ name: StaticString, _ id: RequestID, to buffer: inout ByteBuffer) {
        buffer.write(upTo: name.utf8CodeUnitCount + RequestID.textCountMax + 4) { writer in
            writer.put(name)
            writer.put(": ")
            id.write(to: &writer)
            writer.put(lineEnd)
        }
    }

    package static func writeEnd(to buffer: inout ByteBuffer) {
        buffer.writeStaticString(lineEnd)
    }

    // MARK: Chunked bodies

    /// The size line before a chunk; `chunkEnd` comes behind it.
    package static func chunkStart(_ count: Int) -> ByteBuffer {
        ByteBuffer(string: String(count, radix: 16) + "\r\n")
    }

    package static let chunkEnd = ByteBuffer(staticString: "\r\n")
    package static let lastChunk = ByteBuffer(staticString: "0\r\n\r\n")

    /// The codec has taken these out already; should it ever not, they still go no further.
    private static func isFraming(_ name: UnsafeRawBufferPointer) -> Bool {
        switch name.count {
        case 4: ByteRules.isSame(name, "host")
        case 6: ByteRules.isSame(name, "expect")
        case 14: ByteRules.isSame(name, "content-length")
        case 17: ByteRules.isSame(name, "transfer-encoding")
        default: false
        }
    }
}
