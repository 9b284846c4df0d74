import Glibc
import Postgres
import Testing

@Suite struct BlockingThreadTests {
    private actor Sleeper {
        nonisolated let thread = BlockingThread()
        nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }
        private var calls = 0

        func block() -> Int {
            let before = calls
            usleep(1000)
            calls = before + 1
            return calls
        }
    }

    @Test func `blocking calls of many actors run side by side, those of one actor in order`() async {
        let sleepers = (0..<8).map { _ in Sleeper() }
        await withTaskGroup { group in
            for sleeper in sleepers {
                for _ in 0..<20 { group.addTask { _ = await sleeper.block() } }
            }
        }
        for sleeper in sleepers {
            #expect(await sleeper.block() == 21)
            sleeper.thread.stop()
        }
    }

    @Test func `a call after the stop is served, not lost`() async {
        let sleeper = Sleeper()
        #expect(await sleeper.block() == 1)
        sleeper.thread.stop()
        await withTaskGroup { group in
            for _ in 0..<50 { group.addTask { _ = await sleeper.block() } }
        }
        #expect(await sleeper.block() == 52)
    }
}
