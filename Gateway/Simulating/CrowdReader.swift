// Recorded arrivals as CSV: one visitor a line, with a head line that names the columns.

/// Columns: `arrived_s` (seconds after the opening of the sale, negative before it; needed), `group` (`human` or `bot`),
/// `claims` (`yes`, `no`, `late`), `think_s`, `seats` (0: buys nothing). What is absent is drawn from the plan.
package enum CrowdReader {
    package static let columns = ["arrived_s", "group", "claims", "think_s", "seats"]
    package static let lineBytesMax = 200

    package static func read(
        _ bytes: [UInt8],
        plan: CrowdPlan,
        seed: UInt64,
        visitorsMax: Int = CrowdPlan.visitorsMax
    ) throws(ScenarioFlaw) -> Crowd {
        var one = plan
        one.bots = 0
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)[...]
        if lines.last?.isEmpty ?? false { lines.removeLast() }
        guard let head = lines.first else { throw ScenarioFlaw("line 1: no columns are named") }
        let names = fields(head)
        guard names.contains("arrived_s") else { throw ScenarioFlaw("line 1: there is no column arrived_s") }
        for name in names where !columns.contains(name) {
            throw ScenarioFlaw("line 1: `\(name.prefix(40))` is none of \(columns.joined(separator: ", "))")
        }
        guard Set(names).count == names.count else { throw ScenarioFlaw("line 1: a column is named twice") }
        guard lines.count - 1 <= visitorsMax else { throw ScenarioFlaw("there are more than \(visitorsMax) visitors") }
        guard lines.count > 1 else { throw ScenarioFlaw("there are no visitors") }
        var chance = Chance(seed: seed)
        var members: [Member] = []
        members.reserveCapacity(lines.count)
        for (index, line) in lines.enumerated().dropFirst() {
            members.append(try member(line, names, Crowd.member(one, &chance), number: index + 1))
        }
        return Crowd(members)
    }

    private static func member(
        _ line: ArraySlice<UInt8>,
        _ names: [String],
        _ drawn: Member,
        number: Int
    ) throws(ScenarioFlaw) -> Member {
        guard line.count <= lineBytesMax else {
            throw ScenarioFlaw("line \(number): longer than \(lineBytesMax) bytes")
        }
        let values = fields(line)
        guard values.count == names.count else {
            throw ScenarioFlaw("line \(number): has \(values.count) fields, the columns are \(names.count)")
        }
        var member = drawn
        for (name, value) in zip(names, values) where !set(name, value, &member) {
            throw ScenarioFlaw("line \(number): `\(value.prefix(40))` is no \(name)")
        }
        return member
    }

    private static func set(_ name: String, _ value: String, _ member: inout Member) -> Bool {
        switch (name, value) {
        case ("arrived_s", _):
            guard let seconds = Double(value), seconds.magnitude <= CrowdPlan.secondsMax else { return false }
            member.arrivalMS = Int32(seconds * 1000)
        case ("group", "human"): member.traits.remove(.isBot)
        case ("group", "bot"): member.traits.insert(.isBot)
        case ("claims", "yes"):
            member.traits.formUnion([.shows, .isPresent])
            member.traits.remove(.isLate)
        case ("claims", "no"): member.traits.subtract([.shows, .isLate])
        case ("claims", "late"):
            member.traits.remove(.shows)
            member.traits.insert(.isLate)
        case ("think_s", _):
            guard let seconds = Double(value), (0...Crowd.thinkMost).contains(seconds) else { return false }
            member.thinkMS = Int32(seconds * 1000)
        case ("seats", _):
            guard let seats = UInt8(value), seats <= UInt8(CrowdPlan.seatsMax) else { return false }
            member.seats = seats
            if seats > 0 { member.traits.insert(.buys) } else { member.traits.remove(.buys) }
        default: return false
        }
        return true
    }

    private static func fields(_ line: ArraySlice<UInt8>) -> [String] {
        var line = line
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        return line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self).filter { $0 != " " } }
    }
}
