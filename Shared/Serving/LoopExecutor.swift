package import NIOCore

/// Runs the jobs of tasks on an event loop's thread, so that a task that waits for its connection, or for another one
/// of the same loop, is resumed where it is without waking a thread.
///
/// What runs here must not block.
package final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    package init(_ loop: any EventLoop) { self.loop = loop }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }

    package func asUnownedTaskExecutor() -> UnownedTaskExecutor { UnownedTaskExecutor(ordinary: self) }
}

/// One executor for each loop of a group, as long-lived as the group.
package struct LoopExecutors: Sendable {
    private let executors: [ObjectIdentifier: LoopExecutor]

    package init(_ group: any EventLoopGroup) {
        var executors: [ObjectIdentifier: LoopExecutor] = [:]
        for loop in group.makeIterator() { executors[ObjectIdentifier(loop)] = LoopExecutor(loop) }
        self.executors = executors
    }

    package func executor(of loop: any EventLoop) -> LoopExecutor? { executors[ObjectIdentifier(loop)] }
}
