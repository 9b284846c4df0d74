// The replies to requests that are refused at the door, made at the start: during a flood they are most of the replies.
import EdgeHTTP
import NIOCore
import RateLimiting
import UsherAPI

/// One reply for each rule and wait. `Retry-After` counts in seconds up to two minutes, then in minutes.
struct LimitReplies: Sendable {
    private static let secondsMax = 120
    private static let minutesMax = 180

    private let limited: [[EdgeReply]]
    private let banned: [EdgeReply]

    init(_ plan: LimitPlan) {
        var limited = [[EdgeReply]](repeating: [], count: LimitRule.indexCount)
        for rule in plan.rules {
            let body = Self.body(
                .rateLimited,
                "more requests than the limit \(rule.name) allows: \(rule.rate.count) in \(rule.rate.periodSeconds) s"
            )
            let policy = "\"\(rule.name)\";q=\(rule.rate.count);w=\(rule.rate.periodSeconds)"
            limited[rule.index] = (0...Self.secondsMax).map { seconds in
                Self.reply(
                    body,
                    seconds,
                    ["RateLimit-Policy": policy, "RateLimit": "\"\(rule.name)\";r=0;t=\(seconds)"]
                )
            }
        }
        self.limited = limited
        let body = Self.body(.addressBanned, "this address went on for too long beyond its limits")
        banned = (0...(Self.secondsMax + Self.minutesMax)).map { Self.reply(body, Self.wait(ofSlot: $0), [:]) }
    }

    func reply(_ verdict: LimitVerdict) -> EdgeReply {
        let seconds = Int(verdict.retryAfterSeconds)
        let replies = verdict.outcome == .banned ? banned : limited[Int(verdict.rule)]
        return replies[min(Self.slot(ofWait: seconds), replies.count - 1)]
    }

    /// A reply that says whom the lists refuse.
    static let denied = EdgeReply(
        PreparedHead(status: ProblemCode.denied.status, headers: ["Content-Type": Problem.contentType]),
        body: body(.denied, "this gateway serves nobody from here")
    )

    private static func slot(ofWait seconds: Int) -> Int {
        seconds <= secondsMax ? seconds : secondsMax + (seconds + 59) / 60
    }

    private static func wait(ofSlot slot: Int) -> Int {
        slot <= secondsMax ? slot : (slot - secondsMax) * 60
    }

    private static func body(_ code: ProblemCode, _ detail: String) -> ByteBuffer {
        EdgeReply(code, detail: detail, requestID: nil).body
    }

    private static func reply(_ body: ByteBuffer, _ seconds: Int, _ fields: EdgeHeaders) -> EdgeReply {
        var headers = fields
        headers.add("Retry-After", String(seconds))
        headers.add("Content-Type", Problem.contentType)
        return EdgeReply(PreparedHead(status: ProblemCode.rateLimited.status, headers: headers), body: body)
    }
}
