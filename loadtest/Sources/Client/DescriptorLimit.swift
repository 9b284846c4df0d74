// A visitor is a socket, a socket is a descriptor.
import Glibc

enum DescriptorLimit {
    /// Descriptors the process needs beside its visitors.
    static let reserve: UInt64 = 64

    /// Raises the soft limit to the hard one; tells the limit that holds now.
    static func raise() -> UInt64 {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        _ = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return UInt64(limit.rlim_cur)
    }

    /// One line for the operator when `visitors` do not fit, nil when they do.
    static func complaint(visitors: Int, limit: UInt64) -> String? {
        guard UInt64(visitors) + reserve > limit else { return nil }
        let needed = UInt64(visitors) + reserve
        return
            "\(visitors) visitors need \(needed) file descriptors, the limit is \(limit): raise it with ulimit -n \(needed)"
    }
}
