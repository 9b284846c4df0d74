// How much memory this process has, and how much it may have.
import Foundation
import Glibc

enum ProcessMemory {
    /// Resident bytes; 0 when the system does not tell.
    static func residentBytes() -> Int {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8),
            let pages = text.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { return 0 }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }

    /// glibc's `malloc_trim`, which Swift's module of glibc does not show; nil with another C library.
    private static let trim: (@convention(c) (Int) -> Int32)? = dlsym(nil, "malloc_trim").map {
        unsafeBitCast($0, to: (@convention(c) (Int) -> Int32).self)
    }

    /// glibc's `mallopt`, by the same way, and its `M_MMAP_THRESHOLD`.
    private static let option: (@convention(c) (Int32, Int32) -> Int32)? = dlsym(nil, "mallopt").map {
        unsafeBitCast($0, to: (@convention(c) (Int32, Int32) -> Int32).self)
    }
    private static let mapThreshold: Int32 = -3
    private static let ownMappingFromBytes: Int32 = 512 * 1024

    /// Large blocks (a draw's ranks, a piece of a log) go back to the system when they are freed. Left to itself glibc
    /// takes the first large block that is freed as a sign that there will be more, and from then on keeps them all.
    static func returnLargeBlocks() { _ = option?(mapThreshold, ownMappingFromBytes) }

    /// What is free inside the process goes back to the system, as it would count as used otherwise.
    static func giveBack() { _ = trim?(0) }

    /// The limit of the control group this process is in, else three quarters of the machine.
    static func bytesMax(
        groups: String = "/sys/fs/cgroup",
        ownGroup: String = "/proc/self/cgroup",
        physicalBytes: Int = Int(clamping: ProcessInfo.processInfo.physicalMemory)
    ) -> Int {
        let own = (try? String(contentsOfFile: ownGroup, encoding: .utf8)) ?? ""
        let limits = own.split(separator: "\n").compactMap { line -> Int? in
            // `0::/path` of version 2, `5:memory:/path` of version 1.
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { return nil }
            if parts[1].isEmpty { return limit(groups, String(parts[2]), "memory.max") }
            guard parts[1].split(separator: ",").contains("memory") else { return nil }
            return limit(groups + "/memory", String(parts[2]), "memory.limit_in_bytes")
        }
        // Version 1 says "none" with a number larger than any machine.
        guard let limit = limits.filter({ $0 > 0 && $0 < physicalBytes }).min() else { return physicalBytes / 4 * 3 }
        return limit
    }

    /// The lowest limit of a group and those above it. In a container the path may be that of the host: then only the
    /// root is there.
    private static func limit(_ root: String, _ path: String, _ file: String) -> Int? {
        var parts = path.split(separator: "/").map(String.init)
        var found: [Int] = []
        while true {
            let name = ([root] + parts + [file]).joined(separator: "/")
            if let text = try? String(contentsOfFile: name, encoding: .utf8),
                let bytes = Int(text.split(separator: "\n").first ?? "")
            {
                found.append(bytes)
            }
            guard parts.popLast() != nil else { return found.min() }
        }
    }
}
