// Tie windows in pieces that fit one call, in order and without a gap.
import Queueing

struct TiePieces: Equatable {
    struct Piece: Equatable {
        /// Numbers up to here have their ranks.
        var from: UInt64
        var through: UInt64
        var ties: [OrderRecord.Tie]
    }

    private(set) var pieces: [Piece] = []

    /// The ties rise, do not overlap, and lie within `from + 1 ... through`.
    init(_ ties: [OrderRecord.Tie], from: UInt64, through: UInt64, numbersMax: Int) {
        var piece = Piece(from: from, through: from, ties: [])
        var numbers = 0
        for tie in ties {
            if numbers > 0, numbers + Int(tie.count) > numbersMax {
                pieces.append(piece)
                piece = Piece(from: piece.through, through: piece.through, ties: [])
                numbers = 0
            }
            piece.ties.append(tie)
            piece.through = tie.first + tie.count - 1
            numbers += Int(tie.count)
        }
        piece.through = through
        pieces.append(piece)
    }
}

extension OrderRecord.Tie {
    /// First number and count, 8 bytes each.
    static let bytes = 16

    static func read(_ bytes: [UInt8]) -> [Self] {
        func integer(_ start: Int) -> UInt64 { bytes[start..<(start + 8)].reduce(0) { $0 << 8 | UInt64($1) } }
        return stride(from: 0, through: bytes.count - Self.bytes, by: Self.bytes).map { start in
            Self(first: integer(start), count: integer(start + 8))
        }
    }
}
