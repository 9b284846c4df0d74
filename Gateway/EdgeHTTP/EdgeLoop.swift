// What the connections of one event loop share: a coarse clock, the date, request ids, and the buffer replies go into.
package import NIOCore

/// Used on its loop only. Deadlines are looked at a few times a second for all connections together, so that a
/// request moves its deadlines without reading a clock, without a timer and without an allocation.
package final class EdgeLoop {
    /// Deadlines pass up to two ticks late, never early.
    static let tick = TimeAmount.milliseconds(200)
    /// Space kept for replies; one that needs more gets memory of its own.
    static let replyBytesMax = 16 * 1024

    package let loop: any EventLoop
    /// When the last tick began.
    private(set) var now: NIODeadline
    private(set) var dateField: [UInt8] = []
    /// Replies of `outputOwner`, not yet handed to its channel.
    var output: ByteBuffer
    private(set) var outputOwner: EdgeCodec?
    /// What the visitor at the end of a channel has taken so far.
    package var takenBytes: (any Channel) -> UInt64 = TakenBytes.of
    private var connections: [EdgeCodec] = []
    private var date = EdgeDate()
    private var lastID: RequestID
    private var ticking: RepeatedTask?

    /// `seed`: random bits, other ones for each loop and each start.
    package init(loop: any EventLoop, seed: UInt64) {
        self.loop = loop
        now = loop.now
        lastID = RequestID(loop: seed, count: 0)
        output = ByteBufferAllocator().buffer(capacity: Self.replyBytesMax)
        dateField = date.field()
    }

    package func begin() {
        guard ticking == nil else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        ticking = loop.scheduleRepeatedTask(initialDelay: Self.tick, delay: Self.tick) { _ in bound.value.passTick() }
    }

    package func stop() {
        ticking?.cancel()
        ticking = nil
    }

    package func nextID() -> RequestID {
        lastID = lastID.next()
        return lastID
    }

    /// When something that may take `time` from now on must be over.
    func deadline(after time: TimeAmount) -> NIODeadline { now + Self.tick + time }

    func enter(_ connection: EdgeCodec) {
        connection.position = connections.count
        connections.append(connection)
    }

    func leave(_ connection: EdgeCodec) {
        guard let position = connection.position, let last = connections.popLast() else { return }
        connection.position = nil
        guard last !== connection else { return }
        connections[position] = last
        last.position = position
    }

    private func passTick() {
        now = loop.now
        dateField = date.field()
        // A connection that ends takes itself out, and the last one takes its position.
        var index = connections.count
        while index > 0 {
            index -= 1
            if index < connections.count { connections[index].check(at: now) }
        }
    }

    /// Whose replies the buffer holds from here on. What it held of another connection goes out first.
    func lendOutput(to connection: EdgeCodec) {
        guard outputOwner !== connection else { return }
        outputOwner?.sendOutput()
        outputOwner = connection
    }

    /// Empties the buffer. Its memory is used again unless a channel still holds the last replies.
    func takeOutputBack() {
        outputOwner = nil
        if output.storageCapacity > Self.replyBytesMax * 4 {
            output = ByteBufferAllocator().buffer(capacity: Self.replyBytesMax)
        } else {
            output.clear(minimumCapacity: Self.replyBytesMax)
        }
    }
}
