// usher-fuzz TARGET [libFuzzer's arguments]: feeds one reader of visitors' bytes with whatever libFuzzer thinks of.
// usher-fuzz seeds FOLDER: writes the requests of the desync corpus there, one a file. Run by scripts/fuzz.
import CLibFuzzer
import EdgeReadings
import Foundation

@main
struct Fuzz {
    /// Says nil, or in one line what is wrong with how the bytes were read.
    typealias Target = ([UInt8]) throws -> String?

    static func main() throws {
        var arguments = CommandLine.arguments
        let word = arguments.count > 1 ? arguments.remove(at: 1) : ""
        if word == "seeds" {
            try writeSeeds(to: URL(fileURLWithPath: arguments.last ?? "."))
            return
        }
        guard let name = TargetName(rawValue: word) else {
            let names = TargetName.allCases.map(\.rawValue).joined(separator: " | ")
            FileHandle.standardError.write(Data("usage: usher-fuzz \(names) | seeds FOLDER\n".utf8))
            exit(2)
        }
        run(name, arguments)
    }

    private static func run(_ name: TargetName, _ arguments: [String]) {
        chosen = name
        var words = arguments.map { strdup($0) } + [nil]
        words.withUnsafeMutableBufferPointer { words in
            var count = CInt(arguments.count)
            var start = words.baseAddress
            exit(
                LLVMFuzzerRunDriver(&count, &start) { bytes, count in
                    Fuzz.check(Array(UnsafeBufferPointer(start: bytes, count: count)))
                    return 0
                }
            )
        }
    }

    /// Ends the process on a finding: libFuzzer keeps the bytes in a file.
    private static func check(_ bytes: [UInt8]) {
        do {
            if let finding = try chosen.target(bytes) { fatalError("finding: \(finding)") }
        } catch {
            fatalError("the harness failed: \(error)")
        }
    }

    // Safe because it is set once, before libFuzzer starts on the only thread.
    nonisolated(unsafe) private static var chosen = TargetName.requests

    private static func writeSeeds(to folder: URL) throws {
        guard let corpus = DesyncCase.folder else {
            print("skipped: no corpora")
            return
        }
        for (index, example) in try DesyncCase.all(in: corpus).enumerated() {
            try Data(example.bytes).write(to: folder.appending(path: "desync-\(index)"))
        }
    }
}

enum TargetName: String, CaseIterable {
    case requests, forwarding, replies, tokens, cookies, addresses, accept, forms

    var target: Fuzz.Target {
        switch self {
        case .requests: Requests.check
        case .forwarding: ForwardedRequests.check
        case .replies: ServiceReplies.check
        case .tokens: Tokens.check
        case .cookies: Cookies.check
        case .addresses: Addresses.check
        case .accept: AcceptFields.check
        case .forms: Forms.check
        }
    }
}
