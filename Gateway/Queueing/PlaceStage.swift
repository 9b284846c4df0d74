/// The life of a place from joining to its end, as one table: called, claimed, parked, forfeited.
package enum PlaceStage: UInt8, Sendable, CaseIterable {
    case waiting
    /// May claim; its window is open.
    case called
    /// Asked in time and found no room: never too late while it keeps asking.
    case turnedUp
    /// Did not come in time: nobody waits for it, and it may still claim until the grace ends.
    case parked
    case forfeited
    case admitted
    /// Its pass has ended.
    case used
    case left

    package enum Event: UInt8, Sendable, CaseIterable {
        /// The cursor passed it.
        case wasCalled
        /// It claimed, and pace or cap had no room.
        case foundNoRoom
        case wasGranted
        case windowEnded
        case graceEnded
        /// It turned up and then did not ask for longer than the window.
        case fellSilent
        case passEnded
        case gaveUp
    }

    /// Every change there is; nil for one that cannot be.
    package func after(_ event: Event) -> PlaceStage? {
        switch (self, event) {
        case (.waiting, .wasCalled): .called
        case (.called, .foundNoRoom), (.turnedUp, .foundNoRoom), (.parked, .foundNoRoom): .turnedUp
        case (.called, .wasGranted), (.turnedUp, .wasGranted), (.parked, .wasGranted): .admitted
        case (.called, .windowEnded): .parked
        case (.turnedUp, .fellSilent): .parked
        case (.parked, .graceEnded): .forfeited
        case (.admitted, .passEnded): .used
        // A holder of a pass gives that up, not the place.
        case (.admitted, .gaveUp): .used
        case (.waiting, .gaveUp), (.called, .gaveUp), (.turnedUp, .gaveUp), (.parked, .gaveUp),
            (.forfeited, .gaveUp):
            .left
        default: nil
        }
    }

    package var isOver: Bool { self == .forfeited || self == .used || self == .left }
}
