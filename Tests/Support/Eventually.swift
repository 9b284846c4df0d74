/// Waits until a fact holds, looking every few milliseconds; throws when it does not hold within `limit`.
package func eventually(
    within limit: Duration = .seconds(60),
    _ holds: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if try await holds() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    throw StillNotSo(limit: limit)
}

package struct StillNotSo: Error, CustomStringConvertible {
    package let limit: Duration
    package var description: String { "still not so after \(limit)" }
}
