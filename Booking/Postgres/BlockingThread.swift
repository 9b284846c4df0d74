import Dispatch
import Glibc

/// One operating-system thread that runs an actor's jobs in order, so that a blocking C call
/// never occupies a thread of the cooperative pool.
///
/// A job enqueued after the thread has ended runs on a shared serial queue instead of being lost: a caller of a
/// closed actor gets its refusal and never hangs.
///
/// Safe because every access to `jobs`, `isStopping` and `hasEnded` happens between lock and unlock of `mutex`,
/// and the two C objects are allocated once and freed when nobody refers to this object any more.
package final class BlockingThread: SerialExecutor, @unchecked Sendable {
    private static let afterwards = DispatchQueue(label: "usher.blocking-thread.afterwards")

    private var jobs: [UnownedJob] = []
    private var isStopping = false
    private var hasEnded = false
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let wakeUp = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    package init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(wakeUp, nil)
        var thread = pthread_t()
        // The thread keeps this object alive until `stop()` has been served.
        let owner = Unmanaged.passRetained(self).toOpaque()
        let status = pthread_create(&thread, nil, runUntilStopped, owner)
        precondition(status == 0, "pthread_create failed with \(status)")
        pthread_detach(thread)
    }

    deinit {
        pthread_cond_destroy(wakeUp)
        pthread_mutex_destroy(mutex)
        wakeUp.deallocate()
        mutex.deallocate()
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isTaken = withLock {
            guard !hasEnded else { return false }
            jobs.append(job)
            return true
        }
        guard !isTaken else {
            pthread_cond_signal(wakeUp)
            return
        }
        Self.afterwards.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }

    /// Lets the thread end once the jobs already queued have run.
    package func stop() {
        withLock { isStopping = true }
        pthread_cond_signal(wakeUp)
    }

    fileprivate func run() {
        while let batch = nextBatch() {
            for job in batch {
                job.runSynchronously(on: asUnownedSerialExecutor())
            }
        }
    }

    private func nextBatch() -> [UnownedJob]? {
        withLock {
            while jobs.isEmpty, !isStopping { pthread_cond_wait(wakeUp, mutex) }
            guard !jobs.isEmpty else {
                hasEnded = true
                return nil
            }
            defer { jobs.removeAll(keepingCapacity: true) }
            return jobs
        }
    }

    private func withLock<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }
}

private func runUntilStopped(_ owner: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let owner else { return nil }
    Unmanaged<BlockingThread>.fromOpaque(owner).takeRetainedValue().run()
    return nil
}
