// What a check found: one promise, how much was looked at, and where it is broken.

/// The result of checking one promise.
package struct Finding: Sendable, Equatable {
    /// Breaches that are kept word for word; all are counted.
    package static let examplesMax = 10

    /// Short and stable, for scripts: `seats.one-owner`.
    package let name: String
    /// The promise as a sentence.
    package let promise: String
    package private(set) var checked = 0
    package private(set) var breachCount = 0
    package private(set) var examples: [String] = []

    package init(_ name: String, _ promise: String) {
        self.name = name
        self.promise = promise
    }

    package var isKept: Bool { breachCount == 0 }

    /// Counts one thing looked at, and a breach when it does not hold.
    package mutating func expect(_ holds: Bool, _ breach: @autoclosure () -> String) {
        checked += 1
        if !holds { report(breach()) }
    }

    /// A breach that was found while something already counted was looked at.
    package mutating func report(_ breach: String) {
        breachCount += 1
        if examples.count < Self.examplesMax { examples.append(breach) }
    }

    /// Counts things looked at.
    package mutating func count(_ number: Int) { checked += number }
}
