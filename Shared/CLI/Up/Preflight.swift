// What is looked at before anything is started, so that a fault is one clear line.

import Foundation

enum Preflight {
    /// Descriptors for the services and stores beside those of the visitors.
    private static let descriptorsBase = 1024

    static func check(_ plan: StackPlan, descriptors: Int, visitors: Int) throws {
        for name in ["usher-gateway", "usher-booking", "usher-mock-payments", "usher-loadtest"]
        where access(plan.program(name), X_OK) != 0 {
            throw UpFault("\(name) is not built: run ./run, or swift build")
        }
        guard FileManager.default.fileExists(atPath: plan.pagesFolder) else {
            throw UpFault("there is no folder \(plan.pagesFolder): start in the project's folder or give --pages")
        }
        let wanted = descriptorsBase + visitors * 2
        guard descriptors >= wanted else {
            throw UpFault(
                "\(descriptors) open files are allowed and \(wanted) needed: raise the hard limit (ulimit -Hn \(wanted))"
            )
        }
        for (port, program, option) in plan.ports where !isFree(port) {
            throw UpFault("port \(port) is in use and \(program) needs it: stop the other program or give \(option)")
        }
    }

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr(StackPlan.address)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}

/// One `usher up` per data folder.
struct FolderLock {
    static let fileName = "lock"
    private let descriptor: Int32

    init(_ folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        descriptor = open(folder + "/" + Self.fileName, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw UpFault("\(folder) cannot be written to") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw UpFault("another usher runs with \(folder): stop it with Ctrl-C, or give --data another folder")
        }
    }

    func release() {
        close(descriptor)
    }
}
