// What a room asks of those who join: member `challenge` of a policy.

extension RoomPolicy {
    package enum Challenge: Sendable, Equatable {
        case off
        /// Work, or a wait.
        case pow(Work)
        /// A provider that tells people from programs.
        case captcha
        /// An entry ticket that somebody signed for one person.
        case attestation

        package enum Kind: String, Sendable, CaseIterable {
            case off, pow, captcha, attestation
        }

        package var kind: Kind {
            switch self {
            case .off: .off
            case .pow: .pow
            case .captcha: .captcha
            case .attestation: .attestation
            }
        }
    }

    package struct Work: Sendable, Equatable {
        package struct Step: Sendable, Equatable {
            /// In force from this many joins a second at one gateway on.
            package var joinsPerSecond: Int
            /// Hashes on average.
            package var hashes: Int
        }

        package static let hashesRange = 1000...500_000
        package static let joinsPerSecondMax = 1_000_000
        package static let stepsMax = 8
        package static let expirySecondsRange = 30...120
        package static let waitSecondsRange = 15...60
        package static let standard = Work(
            expirySeconds: 120,
            waitSeconds: 30,
            steps: [
                Step(joinsPerSecond: 0, hashes: 25_000), Step(joinsPerSecond: 50, hashes: 100_000),
                Step(joinsPerSecond: 500, hashes: 400_000),
            ]
        )

        package var expirySeconds: Int
        /// How long the way without work takes.
        package var waitSeconds: Int
        /// The easiest first.
        package var steps: [Step]
    }
}

extension RoomPolicy.Challenge {
    init(_ reader: inout PolicyReader) throws(PolicyFlaw) {
        let kind = try reader.choice("kind", default: Kind.off)
        switch kind {
        case .off: self = .off
        case .pow: self = .pow(try RoomPolicy.Work(&reader))
        case .captcha: self = .captcha
        case .attestation: self = .attestation
        }
        try reader.finish()
    }

    /// Members in the order of their names.
    var canonicalJSON: String {
        guard case .pow(let work) = self else { return #"{"kind":"\#(kind.rawValue)"}"# }
        let steps = work.steps.map { #"{"hashes":\#($0.hashes),"joins_per_second":\#($0.joinsPerSecond)}"# }
        return #"{"expiry_seconds":\#(work.expirySeconds),"kind":"pow","steps":[\#(steps.joined(separator: ","))]"#
            + #","wait_seconds":\#(work.waitSeconds)}"#
    }
}

extension RoomPolicy.Work {
    fileprivate init(_ reader: inout PolicyReader) throws(PolicyFlaw) {
        let standard = Self.standard
        expirySeconds = try reader.integer(
            "expiry_seconds",
            in: Self.expirySecondsRange,
            default: standard.expirySeconds
        )
        waitSeconds = try reader.integer("wait_seconds", in: Self.waitSecondsRange, default: standard.waitSeconds)
        let values = try reader.list("steps", countMax: Self.stepsMax)
        steps = values.isEmpty ? standard.steps : try Self.readSteps(values)
    }

    private static func readSteps(_ values: [JSONValue]) throws(PolicyFlaw) -> [Step] {
        var steps: [Step] = []
        for (index, value) in values.enumerated() {
            let path = "challenge.steps[\(index)]"
            var members = try PolicyReader(value, path: path)
            let step = Step(
                joinsPerSecond: try members.integer("joins_per_second", in: 0...joinsPerSecondMax, default: 0),
                hashes: try members.integer("hashes", in: hashesRange, default: hashesRange.lowerBound)
            )
            try members.finish()
            if let last = steps.last {
                guard step.joinsPerSecond > last.joinsPerSecond, step.hashes >= last.hashes else {
                    throw PolicyFlaw(
                        path,
                        "must come at more joins_per_second than the step before, with no fewer hashes"
                    )
                }
            } else if step.joinsPerSecond != 0 {
                throw PolicyFlaw("\(path).joins_per_second", "must be 0 in the first step")
            }
            steps.append(step)
        }
        return steps
    }
}
