// Strict query parameters: whole numbers, each once, no other names.
import EdgeHTTP

struct QueryNumbers {
    static let digitsMax = 15
    private var values: [String: Int] = [:]

    struct Flaw: Error, CustomStringConvertible {
        var description: String
    }

    init(_ query: Substring?, allowed: Set<String>) throws(Flaw) {
        guard let query, !query.isEmpty else { return }
        for pair in query.split(separator: "&", omittingEmptySubsequences: false) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            guard allowed.contains(name) else {
                throw Flaw(description: "parameters are \(allowed.sorted().joined(separator: ", "))")
            }
            guard parts.count == 2, (1...Self.digitsMax).contains(parts[1].utf8.count),
                parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int(parts[1])
            else { throw Flaw(description: "\(name) is a whole number") }
            guard values.updateValue(value, forKey: name) == nil else {
                throw Flaw(description: "\(name) is given twice")
            }
        }
    }

    subscript(name: String) -> Int? { values[name] }
}
