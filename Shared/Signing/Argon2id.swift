// Password hashes (RFC 9106, Argon2id). Each call holds its thread for about 15 ms and 19 MiB: never call it on the
// cooperative pool or an event loop.
import CSodium

package enum Argon2id {
    package static let memoryBytes = 19 * 1024 * 1024
    package static let passes: UInt64 = 2
    package static let passwordBytesMax = 1024

    /// A PHC string (`$argon2id$v=19$m=19456,t=2,p=1$salt$hash`) with a fresh salt.
    package static func hash(_ password: String) throws(SigningFailure) -> String {
        _ = Sodium.isReady
        let length = password.utf8.count
        guard length <= passwordBytesMax else { throw .wrongLength(was: length, wanted: 0...passwordBytesMax) }
        var text = [CChar](repeating: 0, count: textBytesMax)
        let outcome = password.withCString {
            crypto_pwhash_argon2id_str(&text, $0, UInt64(length), passes, memoryBytes)
        }
        guard outcome == 0 else { throw .outOfMemory }
        return text.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// Whether `password` is the one `hash` was made from; the hash carries its own cost.
    package static func verify(_ password: String, against hash: String) -> Bool {
        _ = Sodium.isReady
        let length = password.utf8.count
        guard length <= passwordBytesMax, hash.utf8.count < textBytesMax else { return false }
        return password.withCString { crypto_pwhash_argon2id_str_verify(hash, $0, UInt64(length)) == 0 }
    }

    private static var textBytesMax: Int { crypto_pwhash_argon2id_strbytes() }
}
