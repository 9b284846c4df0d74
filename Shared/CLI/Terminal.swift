import Foundation

/// Lines for the person at the terminal, written at once, also into a file or a pipe.
enum Terminal {
    static func say(_ text: String) {
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }
}
