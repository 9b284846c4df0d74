// The bytes of a whole connection: read at once and in pieces by the codec, and once more by llhttp.
import EdgeHTTP
import EdgeReadings

enum Requests {
    static func check(_ bytes: [UInt8]) throws -> String? {
        let seed = Pieces.seed(of: bytes)
        let limits = seed >> 32 & 3 == 0 ? narrow : EdgeLimits()
        let whole = try EdgeReading([bytes[...]], limits: limits)
        if let finding = Disagreement.within(whole) { return finding }
        let inPieces = try EdgeReading(Pieces.cut(bytes, seed: seed), limits: limits)
        if let finding = Disagreement.between(whole: whole, inPieces: inPieces) { return finding }
        guard !whole.messages.isEmpty else { return nil }
        return Disagreement.between(whole, try LlhttpReading(bytes))
    }

    /// So that short inputs reach every bound.
    private static let narrow: EdgeLimits = {
        var limits = EdgeLimits()
        limits.requestLineBytesMax = 48
        limits.headerLineBytesMax = 40
        limits.headBytesMax = 128
        limits.headerCountMax = 4
        limits.bodyBytesMax = 16
        limits.requestsPerConnectionMax = 3
        return limits
    }()
}
