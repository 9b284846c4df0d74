// Writes a request for a service: the request line, one `Host`, exactly one framing field, then what the caller keeps.
package import NIOCore

package enum UpstreamRequest {
    private static let lineEnd: StaticString = "\r\n"
    /// The request line without its target, the name of `Host`, and the framing.
    private static let lineBytesMax = 128

    /// Everything up to the caller's own fields. `keeps` is asked about every field of the visitor; `Host`, `Expect`
    /// and the framing are not among them.
    package static func write(
        _ head: EdgeRequestHead,
        host: String,
        to buffer: inout ByteBuffer,
        keeps: (UnsafeRawBufferPointer) -> Bool
    ) {
        head.storage.with(head.storage.target) { target in
            buffer.write(upTo: lineBytesMax + target.count + host.utf8.count) { writer in
                writer.put(head.method.name)
                writer.put(byte: ByteRules.space)
                writer.put(target)
                writer.put(" HTTP/1.1\r\nHost: ")
                writer.put(host)
                writer.put(lineEnd)
                write(head.framing, of: head.method, to: &writer)
            }
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

    private static func write(
        _ framing: EdgeRequestHead.Framing,
        of method: EdgeMethod,
        to writer: inout ByteWriter
    ) {
        switch framing {
        case .none where method.forbidsBody: break
        case .none: writer.put("Content-Length: 0\r\n")
        case .length(let count):
            writer.put("Content-Length: ")
            writer.put(number: count)
            writer.put(lineEnd)
        case .chunked: writer.put("Transfer-Encoding: chunked\r\n")
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
