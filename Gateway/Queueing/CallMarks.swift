/// The recent moves of the serving cursor with their times, oldest first: who was called when.
package struct CallMarks: Sendable, Equatable {
    package struct Mark: Sendable, Equatable {
        /// The highest number called by this move.
        package var upTo: UInt64
        package var at: Moment

        package init(upTo: UInt64, at: Moment) {
            self.upTo = upTo
            self.at = at
        }
    }

    package private(set) var marks: [Mark]
    /// Numbers up to here were called so long ago that their move is forgotten.
    package var forfeitedThrough: UInt64

    /// The marks rise in `upTo`.
    package init(_ marks: [Mark] = [], forfeitedThrough: UInt64 = 0) {
        self.marks = marks
        self.forfeitedThrough = forfeitedThrough
    }

    /// When the number was called; nil when it was not, or was forgotten.
    package func calledAt(_ number: UInt64) -> Moment? {
        guard number > forfeitedThrough else { return nil }
        var low = 0
        var high = marks.count
        while low < high {
            let middle = (low + high) / 2
            if marks[middle].upTo < number { low = middle + 1 } else { high = middle }
        }
        return low < marks.count ? marks[low].at : nil
    }
}
