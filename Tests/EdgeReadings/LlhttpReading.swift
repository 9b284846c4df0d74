import NIOCore
import NIOEmbedded
import NIOHTTP1

/// What llhttp, through NIOHTTP1's decoder, made of a connection's bytes, up to the first that it refused.
package struct LlhttpReading {
    package private(set) var messages: [ReadMessage] = []
    /// llhttp reads nothing behind a request that asks for another protocol.
    package private(set) var endsInUpgrade = false

    package init(_ bytes: some Collection<UInt8>) throws {
        let channel = EmbeddedChannel()
        let decoder = ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes))
        try channel.pipeline.syncOperations.addHandler(decoder)
        _ = try? channel.writeInbound(ByteBuffer(bytes: bytes))
        while let part = try channel.readInbound(as: HTTPServerRequestPart.self) {
            let last = messages.count - 1
            switch part {
            case .head(let head):
                messages.append(ReadMessage(head))
                endsInUpgrade = head.headers.contains(name: "upgrade")
            case .body(let bytes): messages[last].body.append(contentsOf: bytes.readableBytesView)
            case .end: messages[last].isComplete = true
            }
        }
        _ = try? channel.finish(acceptAlreadyClosed: true)
    }
}

extension ReadMessage {
    fileprivate init(_ head: HTTPRequestHead) {
        let fields = head.headers.map { Field(name: $0.name, value: Self.trimmed($0.value)) }
        self.init(
            method: head.method.rawValue,
            target: head.uri,
            hosts: fields.filter { $0.name.lowercased() == "host" }.map(\.value),
            fields: fields.filter { !Self.ownFields.contains($0.name.lowercased()) },
            framing: Framing(fields),
            keepsAlive: head.isKeepAlive
        )
    }

    /// llhttp leaves the space behind a value to its user (RFC 9110 §5.5 takes it away).
    static func trimmed(_ value: String) -> String {
        var value = value[...]
        while let last = value.utf8.last, last == 0x20 || last == 0x09 { value = value.dropLast() }
        return String(value)
    }
}

extension ReadMessage.Framing {
    fileprivate init(_ fields: [ReadMessage.Field]) {
        func values(_ name: String) -> [String] {
            fields.filter { $0.name.utf8.count == name.utf8.count && $0.name.lowercased() == name }.map(\.value)
        }
        switch (values("content-length"), values("transfer-encoding")) {
        case ([], []): self = .none
        case (let lengths, []) where lengths.count == 1:
            self = Int(lengths[0]).map { $0 == 0 ? .none : .length($0) } ?? .unclear
        case ([], let codings) where codings.count == 1:
            self = codings[0].lowercased() == "chunked" ? .chunked : .unclear
        default: self = .unclear
        }
    }
}
