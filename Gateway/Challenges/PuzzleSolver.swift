// Solves puzzles: for the load generator and for tests. A SHA-256 (FIPS 180-4) of exactly one block of 32 bytes, as a
// general one would spend more time on calls than on hashing.

package struct PuzzleSolver: Sendable {
    /// Tries between two looks at the clock or at other work.
    package static let chunk: UInt32 = 20_000
    package static let prefixLength = 28

    private let words: [UInt32]
    private let target: [UInt32]
    private let limit: UInt32
    private var next: UInt32 = 0

    /// Nil when prefix or target have another length than a puzzle's.
    package init?(prefix: [UInt8], target: [UInt8], limit: UInt32) {
        guard prefix.count == Self.prefixLength, target.count == 32 else { return nil }
        words = Self.words(prefix)
        self.target = Self.words(target)
        self.limit = limit
    }

    package enum Progress: Sendable, Equatable {
        case solved(UInt32)
        case going
        case exhausted
    }

    /// Tries the next `count` numbers.
    package mutating func work(_ count: UInt32 = chunk) -> Progress {
        guard next < limit else { return .exhausted }
        let range = next..<(next + min(count, limit - next))
        next = range.upperBound
        let found = Self.withBlock(words) { block in
            range.first { number in block.digest(number).0 == target[0] && Self.digest(words, number) == target }
        }
        if let found { return .solved(found) }
        return next < limit ? .going : .exhausted
    }

    /// Works until the end; nil when no number fits.
    package mutating func solve() -> UInt32? {
        while true {
            switch work() {
            case .solved(let number): return number
            case .going: continue
            case .exhausted: return nil
            }
        }
    }

    /// SHA-256 of the prefix and the number, as words.
    static func digest(_ prefix: [UInt32], _ number: UInt32) -> [UInt32] {
        let state = withBlock(prefix) { $0.digest(number) }
        return [state.0, state.1, state.2, state.3, state.4, state.5, state.6, state.7]
    }

    static func words(_ bytes: [UInt8]) -> [UInt32] {
        stride(from: 0, to: bytes.count, by: 4).map { start in
            bytes[start..<(start + 4)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        }
    }

    private static func withBlock<Outcome>(_ prefix: [UInt32], _ body: (Block) -> Outcome) -> Outcome {
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { schedule in
            for index in 0..<16 { schedule[index] = index < 7 ? prefix[index] : 0 }
            schedule[8] = 0x8000_0000
            schedule[15] = 256
            return constants.withUnsafeBufferPointer { body(Block(w: schedule, k: $0)) }
        }
    }

    private typealias State = (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32)

    /// The one block, with room for its schedule.
    private struct Block {
        let w: UnsafeMutableBufferPointer<UInt32>
        let k: UnsafeBufferPointer<UInt32>

        @inline(__always)
        func digest(_ number: UInt32) -> State {
            w[7] = number
            for index in 16..<64 {
                let (x, y) = (w[index - 15], w[index - 2])
                let s0 = rotated(x, 7) ^ rotated(x, 18) ^ x &>> 3
                let s1 = rotated(y, 17) ^ rotated(y, 19) ^ y &>> 10
                w[index] = w[index - 16] &+ s0 &+ w[index - 7] &+ s1
            }
            let start: State = (
                0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19
            )
            var (a, b, c, d, e, f, g, h) = start
            for index in 0..<64 {
                let s1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)
                let t1 = h &+ s1 &+ (e & f ^ ~e & g) &+ k[index] &+ w[index]
                let s0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)
                let t2 = s0 &+ (a & b ^ a & c ^ b & c)
                (h, g, f, e, d, c, b, a) = (g, f, e, d &+ t1, c, b, a, t1 &+ t2)
            }
            return (
                a &+ start.0, b &+ start.1, c &+ start.2, d &+ start.3, e &+ start.4, f &+ start.5, g &+ start.6,
                h &+ start.7
            )
        }

        @inline(__always)
        private func rotated(_ word: UInt32, _ count: UInt32) -> UInt32 {
            word &>> count | word &<< (32 - count)
        }
    }

    private static let constants: [UInt32] = [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
        0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
        0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
        0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
        0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
        0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
        0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ]
}
