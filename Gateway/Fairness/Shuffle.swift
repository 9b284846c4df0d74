// The order a seed gives: Fisher–Yates (Knuth, TAOCP 2, algorithm P) driven by SHA-256 in counter mode, with rejection
// sampling so that no place is likelier than another. docs/fairness.md states it for other languages.

package enum Shuffle {
    package static let seedLength = Digest.length
    package static let countMax = Int(UInt32.max)

    /// The members 0 ..< count in their new order: element k is the member who comes k-th.
    package static func order(of count: Int, seed: Digest) -> [UInt32] {
        precondition((0...countMax).contains(count), "a block has at most 2³² − 1 members")
        var words = WordStream(seed: seed)
        var order = [UInt32](unsafeUninitializedCapacity: count) { buffer, initialized in
            for index in 0..<count { buffer.initializeElement(at: index, to: UInt32(index)) }
            initialized = count
        }
        order.withUnsafeMutableBufferPointer { order in
            var last = count - 1
            while last > 0 {
                order.swapAt(last, Int(words.uniform(below: UInt32(last + 1))))
                last -= 1
            }
        }
        return order
    }
}

/// Successive 32-bit words of SHA-256(seed ‖ 0), SHA-256(seed ‖ 1), … with the counter in 8 bytes.
struct WordStream {
    private static let wordsPerDigest = Digest.length / 4

    private var message: [UInt8]
    private var block: [UInt32]
    private var counter: UInt64 = 0
    private var next = wordsPerDigest

    init(seed: Digest) {
        message = seed.bytes
        message.append(bigEndian: UInt64(0))
        block = [UInt32](repeating: 0, count: Self.wordsPerDigest)
    }

    mutating func word() -> UInt32 {
        if next == Self.wordsPerDigest { refill() }
        defer { next += 1 }
        return block[next]
    }

    /// Evenly one of 0 ..< bound: a word in the incomplete last run of `bound` values is thrown away.
    mutating func uniform(below bound: UInt32) -> UInt32 {
        precondition(bound > 0, "there is nothing below zero")
        let runs = (UInt64(1) << 32) / UInt64(bound)
        let limit = runs * UInt64(bound)
        var word = word()
        while UInt64(word) >= limit { word = self.word() }
        return word % bound
    }

    private mutating func refill() {
        message.withUnsafeMutableBytes {
            $0.storeBytes(of: counter.bigEndian, toByteOffset: Digest.length, as: UInt64.self)
        }
        let digest = message.withUnsafeBytes { Digest.of($0) }
        digest.write(to: &block)
        counter += 1
        next = 0
    }
}

extension Digest {
    /// The eight 32-bit words of the digest, highest byte first.
    fileprivate func write(to words: inout [UInt32]) {
        withUnsafeTemporaryAllocation(byteCount: Digest.length, alignment: 8) { buffer in
            copy(to: buffer)
            for index in 0..<words.count {
                words[index] = UnsafeRawBufferPointer(buffer).bigEndian(at: 4 * index)
            }
        }
    }
}
