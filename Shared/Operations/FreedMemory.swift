import Glibc

/// What glibc does with memory that is freed.
package enum FreedMemory {
    /// `mallopt`, which Swift's module of glibc does not show; nil with another C library.
    private static let option: (@convention(c) (Int32, Int32) -> Int32)? = dlsym(nil, "mallopt").map {
        unsafeBitCast($0, to: (@convention(c) (Int32, Int32) -> Int32).self)
    }
    private static let trimThreshold: Int32 = -1
    private static let mapThreshold: Int32 = -3
    private static let keptBytesMax: Int32 = 64 << 20
    private static let ownMappingFromBytes: Int32 = 4 << 20

    /// For services that need and free the same memory a thousand times a second: up to 64 MiB of each heap stay with
    /// the process. Left to itself glibc gives a page back as soon as it can, and the system clears it at the next need.
    package static func keep() {
        _ = option?(trimThreshold, keptBytesMax)
        _ = option?(mapThreshold, ownMappingFromBytes)
    }
}
