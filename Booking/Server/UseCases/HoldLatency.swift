import Synchronization

/// The 99th percentile of the last holds, for the gateway's pace.
final class HoldLatency: Sendable {
    private static let samplesMax = 512

    private struct State {
        var samples: [Double] = []
        var next = 0
    }

    private let state = Mutex(State())

    func record(_ duration: Duration) {
        let parts = duration.components
        let milliseconds = Double(parts.seconds) * 1000 + Double(parts.attoseconds) * 1e-15
        state.withLock { state in
            if state.samples.count < Self.samplesMax {
                state.samples.append(milliseconds)
            } else {
                state.samples[state.next] = milliseconds
                state.next = (state.next + 1) % Self.samplesMax
            }
        }
    }

    /// Milliseconds; 0 before the first hold.
    var p99: Double {
        let sorted = state.withLock { $0.samples }.sorted()
        return sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, sorted.count * 99 / 100)]
    }
}
