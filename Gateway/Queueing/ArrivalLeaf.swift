import Signing

/// One entry of a room's arrival log: 32 bytes that fix who arrived when, without saying who.
package enum ArrivalLeaf {
    package static let length = 32

    /// SHA-256("usher/leaf/v1" ‖ 0 ‖ length and bytes of the room ‖ length and bytes of the dedupe tag ‖ arrival, 8 bytes).
    package static func hash(room: RoomName, dedupeTag: [UInt8], arrivedAt: Moment) -> [UInt8] {
        var message = Array("usher/leaf/v1".utf8)
        message.append(0)
        message.append(UInt8(room.text.utf8.count))
        message.append(contentsOf: room.text.utf8)
        message.append(UInt8(truncatingIfNeeded: dedupeTag.count))
        message.append(contentsOf: dedupeTag)
        let bits = UInt64(bitPattern: arrivedAt.milliseconds)
        for shift in stride(from: 56, through: 0, by: -8) { message.append(UInt8(truncatingIfNeeded: bits >> shift)) }
        return SHA256.digest(message)
    }
}
