// Picking seats from the live map the way people do: together if possible, else whatever is left.
import UsherAPI

enum SeatChoice {
    /// Up to `want` free seats, nil when none is free. Side by side in one row if any row has that many; otherwise
    /// any free ones. Where to look first is chance, so that a crowd does not fight for the first row.
    static func choose(
        _ want: Int,
        from map: SeatMapReply,
        using chance: inout some RandomNumberGenerator
    ) -> [String]? {
        let rows = map.sections.flatMap { section in section.rows.map { (section: section.name, row: $0) } }
        var runs: [[String]] = []
        var free: [String] = []
        for (section, row) in rows {
            var run: [String] = []
            for (offset, letter) in row.seats.utf8.enumerated() {
                if letter == UInt8(ascii: "F") {
                    let seat = "\(section)-\(row.label)-\(row.first + offset)"
                    run.append(seat)
                    free.append(seat)
                } else {
                    if run.count >= want { runs.append(run) }
                    run = []
                }
            }
            if run.count >= want { runs.append(run) }
        }
        guard want > 0, !free.isEmpty else { return nil }
        if let run = runs.randomElement(using: &chance) {
            // A shop may refuse a pick that leaves a single seat alone.
            let starts = Array(0...(run.count - want))
            let good = starts.filter { $0 != 1 && run.count - want - $0 != 1 }
            let start = (good.isEmpty ? starts : good).randomElement(using: &chance) ?? 0
            return Array(run[start..<(start + want)])
        }
        return Array(free.shuffled(using: &chance).prefix(want))
    }
}
