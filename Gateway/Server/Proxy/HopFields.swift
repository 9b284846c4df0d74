// Which fields stop at the gateway: those of one connection (RFC 9110 §7.6.1), those by which a visitor could pass for a
// proxy, and Usher's own.
import EdgeHTTP

enum HopFields {
    static func isDropped(_ name: UnsafeRawBufferPointer) -> Bool {
        switch name.count {
        case 2: if isSame(name, "te") { return true }
        case 3: if isSame(name, "via") { return true }
        case 7: if isSame(name, "trailer") || isSame(name, "upgrade") { return true }
        case 9: if isSame(name, "forwarded") || isSame(name, "x-real-ip") { return true }
        case 10: if isSame(name, "connection") || isSame(name, "keep-alive") { return true }
        case 11: if isSame(name, "x-client-ip") { return true }
        case 14: if isSame(name, "true-client-ip") || isSame(name, "http2-settings") { return true }
        case 16: if isSame(name, "proxy-connection") { return true }
        case 18: if isSame(name, "proxy-authenticate") { return true }
        case 19: if isSame(name, "proxy-authorization") { return true }
        default: break
        }
        return hasPrefix(name, "usher-") || hasPrefix(name, "x-forwarded-")
    }

    static func isCookie(_ name: UnsafeRawBufferPointer) -> Bool { isSame(name, "cookie") }

    static func isCacheControl(_ name: UnsafeRawBufferPointer) -> Bool { isSame(name, "cache-control") }

    /// The fields that `Connection` declares to be of one connection, in lower case.
    static func named(in values: [String]) -> [[UInt8]] {
        values.flatMap { $0.split(atByte: ",") }.map { Array($0.trimmingSpaces().lowercased().utf8) }
    }

    static func contains(_ names: [[UInt8]], _ name: UnsafeRawBufferPointer) -> Bool {
        guard !names.isEmpty else { return false }
        return names.contains { $0.elementsEqual(name.lazy.map(lowered)) }
    }

    private static func isSame(_ name: UnsafeRawBufferPointer, _ lowercase: StaticString) -> Bool {
        name.count == lowercase.utf8CodeUnitCount && hasPrefix(name, lowercase)
    }

    private static func hasPrefix(_ name: UnsafeRawBufferPointer, _ lowercase: StaticString) -> Bool {
        let count = lowercase.utf8CodeUnitCount
        guard name.count >= count else { return false }
        for index in 0..<count where lowered(name[index]) != lowercase.utf8Start[index] { return false }
        return true
    }

    private static func lowered(_ byte: UInt8) -> UInt8 {
        byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
    }
}
