/// One request as some parser read it, in a form that two parsers can be compared in.
package struct ReadMessage: Equatable, Sendable {
    package struct Field: Equatable, Sendable {
        package var name: String
        package var value: String
    }

    package enum Framing: Equatable, Sendable {
        case none
        case length(Int)
        case chunked
        /// More than one way, or one that has no meaning.
        case unclear
    }

    package var method: String
    package var target: String
    package var hosts: [String]
    /// Without `Host`, `Content-Length`, `Transfer-Encoding` and `Expect`.
    package var fields: [Field]
    package var framing: Framing
    package var keepsAlive: Bool
    package var body: [UInt8] = []
    package var isComplete = false

    /// Fields that the codec takes out of a head, because it answers for them itself.
    package static let ownFields: Set<String> = ["host", "content-length", "transfer-encoding", "expect"]
}
