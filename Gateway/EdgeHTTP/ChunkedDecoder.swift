// Undoes the chunked coding (RFC 9112 §7.1), in its strictest form. Trailers are checked and dropped.
package import NIOCore

package struct ChunkedDecoder {
    private enum State {
        case size
        case bytes(Int)
        case separator
        case trailers
    }

    private static let sizeDigitsMax = 8
    private static let extensionBytesMax = 64
    private static let trailerBytesMax = 1024

    package enum Piece {
        case bytes(ByteBuffer)
        case end
    }

    private var state = State.size
    private var trailerBytes = 0

    package init() {}

    /// The next piece; nil when more bytes are needed.
    package mutating func next(from buffer: inout ByteBuffer) throws(EdgeRefusal) -> Piece? {
        while true {
            switch state {
            case .size:
                let lineMax = Self.sizeDigitsMax + Self.extensionBytesMax
                guard let line = try Self.line(from: &buffer, bytesMax: lineMax) else { return nil }
                let size = try Self.size(line)
                state = size == 0 ? .trailers : .bytes(size)
            case .bytes(let left):
                guard buffer.readableBytes > 0, let piece = buffer.readSlice(length: min(left, buffer.readableBytes))
                else { return nil }
                state = piece.readableBytes == left ? .separator : .bytes(left - piece.readableBytes)
                return .bytes(piece)
            case .separator:
                guard let line = try Self.line(from: &buffer, bytesMax: 0) else { return nil }
                guard line.isEmpty else { throw .malformed(.chunk) }
                state = .size
            case .trailers:
                let lineMax = Self.trailerBytesMax - trailerBytes
                guard let line = try Self.line(from: &buffer, bytesMax: lineMax) else { return nil }
                if line.isEmpty { return .end }
                trailerBytes += line.count
                try Self.checkTrailer(line)
            }
        }
    }

    private static func checkTrailer(_ line: ByteBufferView) throws(EdgeRefusal) {
        let checked = line.withUnsafeBytes { bytes in
            Result { () throws(EdgeRefusal) in
                let name = try HeadFields.parts(of: 0..<bytes.count, in: bytes).name
                guard !forbidsTrailer(UnsafeRawBufferPointer(rebasing: bytes[name])) else { throw .malformed(.trailer) }
            }
        }
        try checked.get()
    }

    /// A field that frames or routes a request, or says who asks, has no meaning behind a body (RFC 9110 §6.5.1); some
    /// server heeds it all the same.
    private static func forbidsTrailer(_ name: UnsafeRawBufferPointer) -> Bool {
        KnownField.named(name) != nil || KnownField.looksLikeFraming(name) || ByteRules.isSame(name, "upgrade")
            || ByteRules.isSame(name, "proxy-connection")
    }

    private static func line(from buffer: inout ByteBuffer, bytesMax: Int) throws(EdgeRefusal) -> ByteBufferView? {
        let view = buffer.readableBytesView
        guard let end = view.prefix(bytesMax + 2).firstIndex(of: ByteRules.lineFeed) else {
            // A line that can only be empty must start as one.
            if let first = view.first, bytesMax == 0, first != ByteRules.carriageReturn { throw .malformed(.chunk) }
            guard view.count < bytesMax + 2 else { throw .malformed(.chunk) }
            return nil
        }
        guard end > view.startIndex, view[end - 1] == ByteRules.carriageReturn else { throw .malformed(.chunk) }
        buffer.moveReaderIndex(forwardBy: end - view.startIndex + 1)
        return view[view.startIndex..<(end - 1)]
    }

    private static func size(_ line: ByteBufferView) throws(EdgeRefusal) -> Int {
        var size = 0
        var digits = 0
        var rest = line[...]
        while let digit = rest.first.flatMap(ByteRules.hexValue) {
            size = size << 4 | Int(digit)
            digits += 1
            rest = rest.dropFirst()
        }
        guard (1...sizeDigitsMax).contains(digits) else { throw .malformed(.chunk) }
        guard rest.first == nil || rest.first == UInt8(ascii: ";") else { throw .malformed(.chunk) }
        guard rest.isEmpty || areExtensions(rest.dropFirst()) else { throw .malformed(.chunk) }
        return size
    }

    /// `name` or `name=value`, both tokens, with `;` between.
    private static func areExtensions(_ text: ByteBufferView) -> Bool {
        text.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).allSatisfy { part in
            let sides = part.split(separator: UInt8(ascii: "="), omittingEmptySubsequences: false)
            return sides.count <= 2 && sides.allSatisfy { !$0.isEmpty && $0.allSatisfy(ByteRules.isToken) }
        }
    }
}
