// RFC 3339 UTC with milliseconds, without a formatter object: days from the civil calendar as in
// Howard Hinnant's “chrono-Compatible Low-Level Date Algorithms”.

package enum Timestamp {
    /// `2026-03-01T12:00:00.250Z` of milliseconds since 1970.
    package static func text(milliseconds: Int64) -> String {
        let rest = ((milliseconds % 1000) + 1000) % 1000
        let seconds = (milliseconds - rest) / 1000
        let clock = ((seconds % 86_400) + 86_400) % 86_400
        let days = (seconds - clock) / 86_400
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthIndex + 2) / 5 + 1
        let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return digits(year, 4) + "-" + digits(month, 2) + "-" + digits(day, 2) + "T" + digits(clock / 3600, 2) + ":"
            + digits(clock / 60 % 60, 2) + ":" + digits(clock % 60, 2) + "." + digits(rest, 3) + "Z"
    }

    private static func digits(_ value: Int64, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}
