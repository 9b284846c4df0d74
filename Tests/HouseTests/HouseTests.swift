import Foundation
import Testing

/// The house rules a compiler cannot check. Each failure names the file and what to do instead.
@Suite struct HouseTests {
    @Test(arguments: [
        (library: "CHiredis", wrapper: "Shared/Redis/"),
        (library: "CLibPQ", wrapper: "Booking/Postgres/"),
        (library: "CSodium", wrapper: "Shared/Signing/"),
        (library: "COpenSSL", wrapper: "Shared/Signing/"),
    ])
    func `a C library is imported only by its wrapper`(library: String, wrapper: String) throws {
        for source in try SourceFile.all() where source.imports.contains(library) {
            #expect(source.path.hasPrefix(wrapper), "\(source.path): use the Swift wrapper in \(wrapper)")
        }
    }

    @Test(arguments: [
        "Gateway/Queueing/", "Gateway/Fairness/", "Gateway/Simulating/", "Gateway/RateLimiting/",
        "Gateway/Challenges/", "Booking/Ordering/", "Booking/Events/",
    ])
    func `a core imports nothing that has a clock, chance or I/O`(core: String) throws {
        for source in try SourceFile.all() where source.path.hasPrefix(core) {
            var allowed: Set<String> = ["Signing", "Foundation", "FoundationEssentials", "Glibc"]
            // It runs the other cores in simulated time.
            if core == "Gateway/Simulating/" { allowed.formUnion(["Queueing", "Fairness"]) }
            // It speaks of the same identifiers and moments.
            if core == "Booking/Events/" { allowed.insert("Ordering") }
            #expect(source.imports.isSubset(of: allowed), "\(source.path) imports \(source.imports)")
            for word in [
                "Date()", "ContinuousClock", "clock_gettime", "gettimeofday", "SystemRandomNumberGenerator", ".random(",
                "FileManager",
            ] {
                #expect(!source.text.contains(word), "\(source.path) uses \(word): hand it in as an argument")
            }
        }
    }

    @Test func `the gateway reads HTTP with its own codec alone`() throws {
        for source in try SourceFile.all() where source.imports.contains("NIOHTTP1") {
            #expect(!source.path.hasPrefix("Gateway/"), "\(source.path): use the types of EdgeHTTP")
        }
    }

    @Test func `a file has at most 400 lines`() throws {
        for source in try SourceFile.all() {
            #expect(source.lines.count <= 400, "\(source.path) has \(source.lines.count) lines: split it by concept")
        }
    }

    @Test func `an unchecked promise carries its proof`() throws {
        for source in try SourceFile.all() where source.path != SourceFile.own {
            for (index, line) in source.lines.enumerated()
            where line.contains("@unchecked Sendable") || line.contains("nonisolated(unsafe)") {
                let above = source.lines[max(0, index - 8)..<index]
                let isProved = above.contains { $0.contains("Safe because") }
                #expect(isProved, "\(source.path):\(index + 1): say why in a comment starting `Safe because`")
            }
        }
    }

    @Test(arguments: [
        (banned: "Task {", instead: "a Service's run() or a task group"),
        (banned: "Task.detached", instead: "a task group"),
        (banned: "TODO", instead: "an issue"),
        (banned: "FIXME", instead: "an issue"),
    ])
    func `a shortcut has a proper form`(banned: String, instead: String) throws {
        for source in try SourceFile.all() where !source.path.hasPrefix("Tests/") {
            for range in source.text.ranges(of: banned) {
                let before =
                    range.lowerBound > source.text.startIndex
                    ? source.text[source.text.index(before: range.lowerBound)] : " "
                #expect(before.isLetter, "\(source.path) contains `\(banned)`: use \(instead)")
            }
        }
    }

    @Test func `no-delay is asked of TCP, not of the socket`() throws {
        // At the socket's level the same number is SO_DEBUG, which only root may set: every connection of an ordinary
        // user would be closed at once.
        for source in try SourceFile.all() where source.path != SourceFile.own {
            #expect(
                !source.text.contains(".socketOption(.tcp_nodelay)"),
                "\(source.path): use .tcpOption(.tcp_nodelay)"
            )
        }
    }

    @Test func `every test can fail, and none is switched off`() throws {
        for source in try SourceFile.all() where source.path.hasPrefix("Tests/") && source.path != SourceFile.own {
            #expect(!source.text.contains("#expect(true)"), "\(source.path) has a check that cannot fail")
            #expect(!source.text.contains(".disabled("), "\(source.path) switches a test off")
        }
    }

    @Test func `each Redis function says what it takes and answers`() throws {
        for file in try SourceFile.paths(in: ["Gateway", "Booking"]) where file.hasSuffix(".lua") {
            let text = try SourceFile.text(of: file)
            for word in ["keys", "arguments", "answers"] {
                #expect(text.lowercased().contains(word), "\(file): its head must list its \(word)")
            }
        }
    }

    @Test(arguments: ["README.md", "docs/architecture.md"])
    func `a page names only files that exist`(page: String) throws {
        let text = try SourceFile.text(of: page)
        let parts = text.split(separator: "`", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() where index % 2 == 1 {
            let word = String(part)
            let looksLikePath =
                ["Gateway/", "Booking/", "Shared/", "Tests/", "loadtest/", "scripts/", "docs/"].contains {
                    word.hasPrefix($0)
                }
                && !word.contains(" ") && !word.contains("*") && !word.contains("…")
            guard looksLikePath else { continue }
            let path = SourceFile.root.appending(path: word).path()
            #expect(FileManager.default.fileExists(atPath: path), "\(page) names \(word), which is not there")
        }
    }
}

struct SourceFile {
    static let own = "Tests/HouseTests/HouseTests.swift"
    static let folders = ["Gateway", "Booking", "Shared", "loadtest", "Tests"]
    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    let path: String
    let text: String
    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

    var imports: Set<String> {
        var names: Set<String> = []
        for line in lines {
            let words = line.split(separator: " ")
            guard let position = words.firstIndex(of: "import"), position <= 2, let name = words.last else { continue }
            let isImport =
                position == 0 || ["package", "public", "internal", "private", "@testable"].contains(words[0])
            if isImport { names.insert(String(name)) }
        }
        return names
    }

    static func all() throws -> [SourceFile] {
        try paths(in: folders).filter { $0.hasSuffix(".swift") }
            .map { SourceFile(path: $0, text: try text(of: $0)) }
    }

    static func paths(in folders: [String]) throws -> [String] {
        try folders.flatMap { folder in
            try FileManager.default.subpathsOfDirectory(atPath: root.appending(path: folder).path())
                .map { "\(folder)/\($0)" }
        }
    }

    static func text(of path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }
}
