/// Tells a connection that its next reply, or the one under way, is its last: it says `Connection: close`. Unlike
/// `ChannelShouldQuiesceEvent` it leaves an idle connection open, so that no request on its way is lost.
package struct LastRepliesEvent: Sendable {
    package init() {}
}
