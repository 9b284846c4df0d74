// The first check: that a bundle is made of what the page says. Everything after it may rely on these bounds, so that no
// bundle, however it was made, can do more than fail.

extension Audit {
    /// Times, counts and versions are below 2⁵³, so that every language reads them alike.
    static let numberMax: Int64 = 1 << 53
    static let roundMax: UInt64 = 1 << 40
    static let roomLengthMax = 40

    static func format(_ bundle: RoomBundle) -> AuditCheck {
        for section in RoomBundle.Section.allCases {
            guard let bytes = bundle.sections[section] else {
                return .failed("format", "section \(section.rawValue) is missing")
            }
            guard bytes.count % section.recordBytes == 0 else {
                return .failed("format", "section \(section.rawValue) ends within a record")
            }
        }
        guard isRoom(bundle.header.room) else { return .failed("format", "that is no room's name") }
        guard numbers(in: bundle.header).allSatisfy({ (0...numberMax).contains($0) }), hasRounds(bundle.header) else {
            return .failed("format", "a number in the header is out of range")
        }
        guard hasTimes(bundle) else { return .failed("format", "a number in a section is out of range") }
        return .ok(
            "format",
            "\(BundleHeader.format), \((bundle.sections[.log]?.count ?? 0) / ArrivalEntry.length) arrivals"
        )
    }

    private static func isRoom(_ name: String) -> Bool {
        (1...roomLengthMax).contains(name.utf8.count)
            && name.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "-")
            }
    }

    private static func numbers(in header: BundleHeader) -> [Int64] {
        var numbers = [Int64(header.generation), header.order.tieMilliseconds]
        for policy in header.policies { numbers += [Int64(policy.version), policy.at] }
        numbers += (header.changes ?? []).map(\.at)
        if let seal = header.seal { numbers += [Int64(clamping: seal.count), seal.at] }
        if let draw = header.draw { numbers += [Int64(clamping: draw.count)] + (draw.named ?? []).map(\.at) }
        return numbers
    }

    private static func hasRounds(_ header: BundleHeader) -> Bool {
        let rounds = [header.draw?.round].compactMap { $0 } + (header.draw?.named ?? []).map(\.round)
        return rounds.allSatisfy { (1...roundMax).contains($0) }
    }

    private static func hasTimes(_ bundle: RoomBundle) -> Bool {
        let times = 0...numberMax
        let numbers = 0...UInt64(numberMax)
        return bundle.entries.allSatisfy { times.contains($0.milliseconds) }
            && bundle.moves.allSatisfy { times.contains($0.milliseconds) && numbers.contains($0.cursor) }
            && bundle.claims.allSatisfy { times.contains($0.milliseconds) && numbers.contains($0.number) }
            && bundle.ties.allSatisfy { numbers.contains($0.first) && numbers.contains($0.count) }
    }
}
